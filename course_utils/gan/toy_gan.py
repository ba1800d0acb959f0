"""Small generative adversarial networks on the ring of eight Gaussians: the networks, the two
steps, and the training loop.
"""
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from course_utils import environment, training
from course_utils.by_hand.ring import draw_ring
from course_utils.checks import check_whole
from course_utils.gan.losses import (
    critic_loss,
    discriminator_loss,
    gradient_penalty,
    non_saturating_loss,
    saturating_loss,
    wasserstein_loss,
)
from course_utils.training import stop_if_diverged

BATCH = 128
TABLE = "gan_toy.json"


def toy_networks(units: int = 64, dtype: str = "float32") -> tuple[keras.Model, keras.Model]:
    """Return a generator and a critic, each with three layers in between.

    Notebook: 09_gan_from_scratch (written out)

    Args:
        units: length of the layers in between.
        dtype: precision of weights and results.

    Returns:
        The generator, (batch, 2) noise to (batch, 2) points, and the critic, (batch, 2) points to
        (batch, 1) scores or logits.
    """
    generator, critic = (
        keras.Sequential([keras.Input((2,), dtype=dtype),
                          *(layers.Dense(units, bend, dtype=dtype) for _ in range(3)),
                          layers.Dense(outputs, dtype=dtype)])
        for bend, outputs in (("tanh", 2), ("relu", 1)))
    return generator, critic


def plain_game(critic: keras.Model, real, fake, mix):
    """Return the loss of a plain GAN's discriminator.

    Notebook: 09_gan_from_scratch (written out)

    Args: as `gradient_penalty`; mix is not used.
    """
    return discriminator_loss(critic(real), critic(fake))


def wasserstein_game(critic: keras.Model, real, fake, mix):
    """Return the loss of a Wasserstein critic with gradient penalty, weighted by 1.

    Notebook: 09_gan_from_scratch (written out)

    Args: as `gradient_penalty`.
    """
    return critic_loss(critic(real), critic(fake)) + gradient_penalty(critic, real, fake, mix)


# Name: the loss of the discriminator or critic, and that of the generator.
GAMES = {"saturating": (plain_game, saturating_loss),
         "non-saturating": (plain_game, non_saturating_loss),
         "WGAN-GP": (wasserstein_game, wasserstein_loss)}


def make_steps(networks: tuple, losses: tuple, optimizers: tuple) -> tuple[Callable, Callable]:
    """Compile one step of the critic and one of the generator.

    Notebook: 09_gan_from_scratch (written out)

    Args:
        networks: generator and critic.
        losses: the critic's, a function of (critic, real, fake, mix), and the generator's, a
            function of scores.
        optimizers: the generator's and the critic's, built.

    Returns:
        A function of (real, z, mix), and a function of z; each changes the weights of its network
        and returns its loss.
    """
    (generator, critic), (critic_objective, generator_objective) = networks, losses

    @tf.function
    def critic_step(real, z, mix):
        fake = generator(z)
        with tf.GradientTape() as tape:
            loss = critic_objective(critic, real, fake, mix)
        optimizers[1].apply(tape.gradient(loss, critic.trainable_variables))
        return loss

    @tf.function
    def generator_step(z):
        with tf.GradientTape() as tape:
            loss = generator_objective(critic(generator(z)))
        optimizers[0].apply(tape.gradient(loss, generator.trainable_variables))
        return loss

    return critic_step, generator_step


def make_optimizers(networks: tuple, steps: int, critic_steps: int,
                    betas: tuple[float, float]) -> tuple:
    """Return an Adam for each network whose learning rate falls from 0.003 to 0.

    Notebook: 09_gan_from_scratch

    Args:
        networks: generator and critic.
        steps: steps of the generator.
        critic_steps: steps of the critic to each of the generator's.
        betas: how slowly Adam forgets gradients, and their squares.
    """
    rates = [keras.optimizers.schedules.CosineDecay(0.003, count)
             for count in (steps, steps * critic_steps)]
    return training.make_adams(networks, rates, betas)


def check_training(game: str, steps: int, critic_steps: int, pictures: int) -> None:
    """Check what `train_toy` gets.

    Raises:
        ValueError: if it cannot train so.

    Example:
        >>> from course_utils.gan import toy_gan
        >>> toy_gan.check_training("chess", steps=100, critic_steps=1, pictures=5)
        Traceback (most recent call last):
        ValueError: There is no game 'chess'. There are saturating, non-saturating, WGAN-GP.
    """
    if game not in GAMES:
        raise ValueError(f"There is no game {game!r}. There are {', '.join(GAMES)}.")
    check_whole("critic_steps", critic_steps, 1)
    check_whole("pictures", pictures, 1)
    check_whole("steps (at least as many as pictures)", steps, pictures)


def train_toy(game: str, seed: int, steps: int, critic_steps: int = 5,
              betas: tuple[float, float] = (0.5, 0.9),
              pictures: int = 20) -> tuple[np.ndarray, keras.Model]:
    """Train a GAN on the ring, and look on.

    Notebook: 09_gan_from_scratch (written out)

    Args:
        game: a name in `GAMES`.
        seed: seed of weights, data and noise.
        steps: steps of the generator.
        critic_steps: steps of the critic before each of the generator's.
        betas: of Adam.
        pictures: how often to look.

    Returns:
        What the generator makes of the same 2000 inputs at the beginning and after each part of the
        training, (1 + pictures, 2000, 2), and the critic.

    Raises:
        ValueError: if there is no such game, or a number is not a whole one from 1 on, or there are
            fewer steps than pictures.
        FloatingPointError: if the training diverges.
    """
    check_training(game, steps, critic_steps, pictures)
    environment.seed_everything(seed)
    rng, networks = np.random.default_rng(seed), toy_networks()
    optimizers = make_optimizers(networks, steps, critic_steps, betas)
    critic_step, generator_step = make_steps(networks, GAMES[game], optimizers)
    noise = rng.standard_normal((2000, 2), np.float32)
    looks, seen = np.linspace(0, steps, 1 + pictures).round(), [networks[0](noise).numpy()]
    for step in range(1, steps + 1):
        for _ in range(critic_steps):
            z, mix = rng.standard_normal((BATCH, 2), np.float32), rng.random(BATCH, np.float32)
            loss = critic_step(draw_ring(BATCH, rng), z, mix)
        made = generator_step(rng.standard_normal((BATCH, 2), np.float32))
        if step in looks:
            stop_if_diverged(step, critic=float(loss), generator=float(made))
            seen.append(networks[0](noise).numpy())
    return np.stack(seen), networks[1]
