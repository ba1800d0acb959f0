"""How the bar GAN is trained: batches, one step of each network, and a training that resumes and
can be made to fail.
"""
from collections.abc import Callable, Mapping
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from course_utils import environment, training
from course_utils.checks import check_whole
from course_utils.gan.bar_gan import (
    BEFORE,
    NOISE,
    STEPS,
    UNKNOWN,
    bar_critic,
    bar_generator,
    gumbel,
    one_hot,
    straight_through,
)
from course_utils.gan.losses import (
    critic_loss,
    discriminator_loss,
    gradient_penalty,
    saturating_loss,
    wasserstein_loss,
)

TABLE = "gan_bars.json"
BATCH = 64
HIDDEN = 0.4  # share of the bars before that are hidden, so that the generator learns to begin
# Name: the critic's loss, the generator's, and the weight of the gradient penalty.
GAMES = {"WGAN-GP": (critic_loss, wasserstein_loss, 10.0),
         "saturating": (discriminator_loss, saturating_loss, 0.0)}
CHOICES = {"straight-through": straight_through,
           "Gumbel": lambda logits: straight_through(gumbel(logits))}
# What a training can be given otherwise than here; each of the famous failures is one change
# (10_gan_composes_bars).
SETTINGS = {"game": "WGAN-GP", "critic_steps": 2, "generator_steps": 1, "rate": 1e-3,
            "critic_rate": 2e-3, "betas": (0.5, 0.9), "hears_intervals": True,
            "choice": "straight-through"}


def draw_batch(windows: np.ndarray, number: int, seed: int, count: int) -> tuple[tf.Tensor,
    tf.Tensor, tf.Tensor]:
    """Draw what one round of training needs; the same seed and number always give the same.

    Notebook: 10_gan_composes_bars

    Args:
        windows: what `bar_gan.bar_windows` returned.
        number: of the round.
        seed: of all choices.
        count: batches wanted.

    Returns:
        Three tensors: windows int8 (count, 64, 24, 4), the bar before hidden in some; noise float32
        (count, 64, 64); and places between real and fake, float32 (count, 64).

    Example:
        >>> import numpy as np
        >>> from course_utils.gan import bar_training
        >>> drawn = bar_training.draw_batch(np.zeros((5, 24, 4), np.int8), 1, seed=0, count=2)
        >>> [tuple(part.shape) for part in drawn]
        [(2, 64, 24, 4), (2, 64, 64), (2, 64)]
    """
    rng = np.random.default_rng([seed, number])
    real = windows[rng.integers(len(windows), size=(count, BATCH))]
    real[rng.random((count, BATCH)) < HIDDEN, :BEFORE] = UNKNOWN
    noise, mix = (rng.standard_normal((count, BATCH, NOISE), np.float32),
                  rng.random((count, BATCH), np.float32))
    return tf.constant(real), tf.constant(noise), tf.constant(mix)


def make_critic_step(networks: tuple, game: tuple, optimizer,
                     choose: Callable = straight_through) -> Callable:
    """Compile one step of the critic.

    Notebook: 10_gan_composes_bars (written out)

    Args:
        networks: generator and critic.
        game: an entry of `GAMES`.
        optimizer: the critic's, built.
        choose: makes ones and zeros of logits.

    Returns:
        A function of windows, noise and mix that changes the critic, and returns its loss and the
        gap between the mean scores of real and fake bars.
    """
    (generator, critic), (objective, _, weight) = networks, game

    @tf.function
    def critic_step(windows, noise, mix):
        before, real = tf.split(one_hot(windows), [BEFORE, STEPS], axis=1)
        fake = choose(generator([noise, before], training=True))

        def score(bars):
            return critic(tf.concat([before, bars], axis=1))

        with tf.GradientTape() as tape:
            real_scores, fake_scores = score(real), score(fake)
            loss = objective(real_scores, fake_scores)
            if weight:
                loss += weight * gradient_penalty(score, real, fake, mix)
        optimizer.apply(tape.gradient(loss, critic.trainable_variables))
        return loss, tf.reduce_mean(real_scores) - tf.reduce_mean(fake_scores)

    return critic_step


def make_generator_step(networks: tuple, game: tuple, optimizer,
                        choose: Callable = straight_through) -> Callable:
    """Compile one step of the generator.

    Notebook: 10_gan_composes_bars (written out)

    Args: as `make_critic_step`; the optimizer is the generator's.

    Returns:
        A function of windows and noise that changes the generator, and returns its loss and the
        slope: how long the gradient of one fake's score is, mean over the batch.
    """
    (generator, critic), (_, objective, _) = networks, game

    @tf.function
    def generator_step(windows, noise):
        before = one_hot(windows[:, :BEFORE])
        with tf.GradientTape(persistent=True) as tape:
            fake = choose(generator([noise, before], training=True))
            loss = objective(critic(tf.concat([before, fake], axis=1)))
        optimizer.apply(tape.gradient(loss, generator.trainable_variables))
        slopes = BATCH * tape.gradient(loss, fake)
        # slopes: (batch, 16 * 4 * 48)
        return loss, tf.reduce_mean(tf.norm(tf.reshape(slopes, (BATCH, -1)), axis=1))

    return generator_step


def train_bars(windows: np.ndarray, steps: int, *, seed: int, folder: Path | None = None,
               every: int = 250, watch: Callable | None = None, **changes) -> tuple[keras.Model,
    keras.Model, list[dict]]:
    """Train a generator of bars, and resume where an interrupted run stopped (10_gan_composes_bars
    writes out the loop).

    The resumed training gives the weights of an uninterrupted one; not so with Gumbel noise, which
    is drawn anew.

    Args:
        windows: what `bar_gan.bar_windows` returned.
        steps: steps of the generator.
        seed: of weights, batches and noise.
        folder: where the state of the training is kept; by default nowhere, and an interruption
            loses it.
        every: steps between two savings.
        watch: called after each step as `watch(step=..., critic=..., generator=..., gap=...,
            slope=..., generators=...)`, the last a pair, the averaged and the newest generator.
        changes: settings other than in `SETTINGS`.

    Returns:
        The averaged generator, the critic, and a row (step, critic, generator, gap, slope) for each
        step done in this call.

    Raises:
        ValueError: if a setting is unknown or out of range, or the folder holds the state of
            another training.
        FloatingPointError: if the training diverges.
    """
    settings = check_settings(steps, changes)
    if folder:
        training.check_same_training(folder, {"steps": steps, "seed": seed, **settings}, windows)
    environment.seed_everything(seed)
    networks = bar_generator(), bar_critic(hears_intervals=settings["hears_intervals"])
    average = keras.models.clone_model(networks[0])
    average.set_weights(networks[0].get_weights())
    optimizers = make_bar_optimizers(networks, steps, settings)
    game, choose = GAMES[settings["game"]], CHOICES[settings["choice"]]
    critic_step, generator_step = (make(networks, game, optimizer, choose)
                                   for make, optimizer in ((make_critic_step, optimizers[1]),
                                                           (make_generator_step, optimizers[0])))
    variables = [v for part in (*networks, average, *optimizers) for v in part.variables]
    rows = []
    for step in training.resumable(folder, variables, steps, every, show=watch is None):
        drawn = draw_batch(windows, step, seed,
                           settings["critic_steps"] + settings["generator_steps"])
        rows.append(
            {"step": step, **play_round(critic_step, generator_step, settings["critic_steps"],
                                        *drawn)})
        training.follow(average, networks[0], tf.constant(max(0.01, 1 / (10 + step))))
        training.stop_if_diverged(step, critic=rows[-1]["critic"], generator=rows[-1]["generator"])
        if watch:
            watch(generators=(average, networks[0]), **rows[-1])
    return average, networks[1], rows


def play_round(critic_step: Callable, generator_step: Callable, critic_steps: int, windows, noise,
               mix) -> dict[str, float]:
    """Take so many steps of the critic, and one of the generator with each batch that is left.

    Args:
        critic_step: what `make_critic_step` returned.
        generator_step: what `make_generator_step` returned.
        critic_steps: how many.
        windows, noise, mix: what `draw_batch` returned.

    Returns:
        Losses of critic and generator, gap and slope of the last steps, by name.
    """
    for number in range(critic_steps):
        critic_value, gap = critic_step(windows[number], noise[number], mix[number])
    for number in range(critic_steps, len(windows)):
        value, slope = generator_step(windows[number], noise[number])
    return {"critic": float(critic_value), "generator": float(value), "gap": float(gap),
            "slope": float(slope)}


def make_bar_optimizers(networks: tuple, steps: int, settings: Mapping) -> tuple:
    """Return an Adam for each network; the learning rates fall evenly to a twentieth.

    Notebook: 10_gan_composes_bars
    """
    rates = settings["rate"], settings["critic_rate"]
    counts = steps * settings["generator_steps"], steps * settings["critic_steps"]
    schedules = [keras.optimizers.schedules.PolynomialDecay(rate, count, 0.05 * rate)
                 for rate, count in zip(rates, counts)]
    return training.make_adams(networks, schedules, settings["betas"])


def check_settings(steps: int, changes: Mapping) -> dict:
    """Return `SETTINGS` with changes.

    Raises:
        ValueError: if one is unknown or out of range.
    """
    if unknown := changes.keys() - SETTINGS.keys():
        raise ValueError(f"There is no setting {', '.join(sorted(unknown))}. There are "
                         f"{', '.join(SETTINGS)}.")
    settings = {**SETTINGS, **changes}
    for name, known in (("game", GAMES), ("choice", CHOICES)):
        if settings[name] not in known:
            raise ValueError(
                f"There is no {name} {settings[name]!r}. There are {', '.join(known)}.")
    check_whole("steps", steps, 1)
    for name in ("critic_steps", "generator_steps"):
        check_whole(name, settings[name], 1)
    return settings
