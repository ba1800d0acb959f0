"""A conditional Wasserstein GAN that invents instruments: levels of notes (`wavetables.levels`)
from noise, family and pitch.
"""
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from course_utils import datasets, environment, training
from course_utils.checks import check_whole
from course_utils.cnn import timbre
from course_utils.gan import wavetables
from course_utils.gan.losses import critic_loss, gradient_penalty, wasserstein_loss
from course_utils.outside import archives
from course_utils.sound import tones
from course_utils.training import follow, stop_if_diverged

LATENT = 16
BATCH = 64
BLOCK = 1024  # notes generated at a time
CRITIC_STEPS = 3
LEARNING_RATE = 1e-3
MEMORY = 0.995  # of the average of the generator's weights
FAMILIES = tuple(tones.FAMILIES)
RECIPE = {"steps": 4000, "units": 256, "critic_steps": CRITIC_STEPS}
WEIGHTS = "weights/gan_tones.weights.h5"


def tone_generator(units: int = 256) -> keras.Model:
    """Build the generator.

    Notebook: 11_gan_invents_instruments (written out)

    Args:
        units: width of the layers in between.

    Returns:
        A model from noise (batch, 16), family (batch, 8) and pitch (batch, 1) in octaves from C4 to
        levels (batch, 12, 80) from -1, which is -90 dB, to 1; harmonics above 8000 Hz are -1.
    """
    z, family, octave = keras.Input((16,)), keras.Input((8,)), keras.Input((1,))
    x = layers.Concatenate()([z, family, octave])
    for _ in range(3):
        x = layers.Dense(units, "leaky_relu")(x)
    x = layers.Reshape((12, 80))(layers.Dense(12 * 80, "tanh")(x))
    number = np.append(np.arange(1, 65), np.zeros(16)).astype("float32")
    heard = ops.cast(ops.expand_dims(261.63 * 2**octave, 1) * number < 8000, "float32")
    return keras.Model([z, family, octave], x * heard + heard - 1)


def tone_critic(units: int = 256) -> keras.Model:
    """Build the critic.

    Notebook: 11_gan_invents_instruments (written out)

    Args:
        units: width of the layers in between.

    Returns:
        A model from levels (batch, 12, 80), family (batch, 8) and pitch (batch, 1) to scores
        (batch, 1).
    """
    levels, family, octave = keras.Input((12, 80)), keras.Input((8,)), keras.Input((1,))
    x = layers.Concatenate()([layers.Flatten()(levels), family, octave])
    for _ in range(3):
        x = layers.Dense(units, "leaky_relu")(x)
    return keras.Model([levels, family, octave], layers.Dense(1)(x))


def known_tones(per_program: int = 40) -> tones.Tones:
    """Return the notes to learn from, those of all instruments but the test ones.

    Notebook: 11_gan_invents_instruments

    Args:
        per_program: notes of each instrument.
    """
    found = datasets.tones(per_program=per_program)
    return select(found, found.fold != tones.FOLDS.index("test"))


def select(found: tones.Tones, rows: np.ndarray) -> tones.Tones:
    """Return some of the notes, chosen by their numbers or by True and False.

    Example:
        >>> import numpy as np
        >>> from course_utils.gan import tone_gan
        >>> from course_utils.sound import tones
        >>> found = tones.Tones(np.zeros((3, 16000)), *[np.arange(3)] * 6)
        >>> tone_gan.select(found, found.family > 0).family.tolist()
        [1, 2]
    """
    columns = [field.name for field in fields(found)
               if isinstance(getattr(found, field.name), np.ndarray)]
    return replace(found, **{name: getattr(found, name)[rows] for name in columns})


def training_data(found: tones.Tones) -> dict[str, np.ndarray]:
    """Describe notes as the critic reads them.

    Notebook: 11_gan_invents_instruments

    Args:
        found: notes, such as `datasets.tones("train")`.

    Returns:
        "levels" (notes, 12, 80) from -1 to 1, "family" (notes, 8) of 0 and 1, "octave" (notes, 1),
        all float32, and "share" (notes,): how often each is to be drawn, so that families count the
        same, and instruments within them.
    """
    heard = wavetables.audible(found.pitch)[:, None]
    levels = to_unit(wavetables.levels(found.waveform, found.pitch))
    weight = timbre.balance(found.family, found.program).astype(float)
    return {"levels": levels * heard + heard - 1, **conditions(found.family, found.pitch),
            "share": weight / weight.sum()}


def to_unit(levels: np.ndarray) -> np.ndarray:
    """Scale levels from -90..0 dB to -1..1."""
    return 1 - 2 * levels / wavetables.FLOOR


def from_unit(values: np.ndarray) -> np.ndarray:
    """Scale -1..1 back to -90..0 dB."""
    return (1 - values) * wavetables.FLOOR / 2


def conditions(family: np.ndarray, pitch: np.ndarray) -> dict[str, np.ndarray]:
    """Write families and pitches as the networks read them.

    Args:
        family: (notes,) int, or (notes, 8) shares of families.
        pitch: (notes,) MIDI pitches; those beyond 48 to 72 count as the nearest of them.

    Returns:
        "family" (notes, 8) and "octave" (notes, 1), float32.
    """
    family = np.asarray(family)
    shares = np.eye(len(FAMILIES))[family] if family.ndim == 1 else family
    octave = (np.clip(pitch, tones.PITCHES[0], tones.PITCHES[-1]) - 60) / 12
    return {"family": shares.astype(np.float32), "octave": octave[:, None].astype(np.float32)}


def make_optimizers(networks: tuple, steps: int, critic_steps: int = CRITIC_STEPS) -> tuple:
    """Return an Adam for generator and critic whose learning rate falls from 0.001 to 0.

    Notebook: 11_gan_invents_instruments
    """
    rates = [keras.optimizers.schedules.CosineDecay(LEARNING_RATE, count)
             for count in (steps, steps * critic_steps)]
    return training.make_adams(networks[:2], rates)


def make_step(networks: tuple, optimizers: tuple, data: dict) -> Callable:
    """Compile some steps of the critic and one of the generator.

    Notebook: 11_gan_invents_instruments (written out)

    Args:
        networks: generator, critic, and the generator's running average.
        optimizers: the generator's and the critic's.
        data: `training_data`.

    Returns:
        A function of rows of the data (rounds, batch), noise (rounds, batch, 16) and mix (rounds,
        batch), a round for each step of the critic; it returns the critic's gap and penalty.
    """
    generator, critic, average = networks
    levels, family, octave = (tf.constant(data[name]) for name in ("levels", "family", "octave"))

    @tf.function
    def step(rows, z, mix):
        for k in range(len(rows)):
            told = tf.gather(family, rows[k]), tf.gather(octave, rows[k])
            real, fake = tf.gather(levels, rows[k]), generator([z[k], *told])
            with tf.GradientTape() as tape:
                gap = -critic_loss(critic([real, *told]), critic([fake, *told]))
                penalty = gradient_penalty(lambda x, told=told: critic([x, *told]), real, fake,
                                           mix[k])
                loss = penalty - gap
            optimizers[1].apply(tape.gradient(loss, critic.trainable_variables))
        with tf.GradientTape() as tape:
            loss = wasserstein_loss(critic([generator([z[-1], *told]), *told]))
        optimizers[0].apply(tape.gradient(loss, generator.trainable_variables))
        follow(average, generator, 1 - MEMORY)
        return gap, penalty

    return step


def draw(data: dict, seed: int, step: int, rounds: int) -> tuple[np.ndarray, np.ndarray,
                                                                 np.ndarray]:
    """Draw rows of the data, noise and mix for one step; the same seed and number give the same.

    Notebook: 11_gan_invents_instruments

    Example:
        >>> import numpy as np
        >>> from course_utils.gan import tone_gan
        >>> drawn = tone_gan.draw({"share": np.full(5, 0.2)}, seed=0, step=1, rounds=3)
        >>> [part.shape for part in drawn]
        [(3, 64), (3, 64, 16), (3, 64)]
    """
    rng = np.random.default_rng([seed, step])
    rows = rng.choice(len(data["share"]), (rounds, BATCH), p=data["share"])
    return (rows, rng.standard_normal((rounds, BATCH, LATENT), np.float32),
            rng.random((rounds, BATCH), np.float32))


def train(data: dict, *, seed: int, steps: int, units: int = 256, critic_steps: int = CRITIC_STEPS,
          folder: Path | None = None, watch: Callable | None = None,
          every: int = 200) -> keras.Model:
    """Train the GAN, and resume where an interrupted run stopped.

    Notebook: 11_gan_invents_instruments

    Args:
        data: `training_data`.
        seed: of weights, data and noise.
        steps: steps of the generator.
        units: width of both networks.
        critic_steps: steps of the critic before each of the generator's.
        folder: where the state is kept every so many steps; None keeps nothing.
        watch: called after each step as `watch(step, gap=..., penalty=...)`, such as a
            `monitor.Monitor`.
        every: steps from one kept state to the next.

    Returns:
        The running average of the generator.

    Raises:
        ValueError: if a number is no whole one from 1 on, or the folder holds the state of another
            training.
        FloatingPointError: if the training diverges.
    """
    for name, value in (("steps", steps), ("units", units), ("critic_steps", critic_steps),
                        ("every", every)):
        check_whole(name, value, 1)
    if folder:
        recipe = {"seed": seed, "steps": steps, "units": units, "critic_steps": critic_steps}
        training.check_same_training(folder, recipe, data["levels"])
    environment.seed_everything(seed)
    networks = tone_generator(units), tone_critic(units), tone_generator(units)
    networks[2].set_weights(networks[0].get_weights())
    optimizers = make_optimizers(networks, steps, critic_steps)
    variables = [variable for part in (*networks, *optimizers) for variable in part.variables]
    step = make_step(networks, optimizers, data)
    for number in training.resumable(folder, variables, steps, every, show=watch is None):
        gap, penalty = map(float, step(*map(tf.constant,
                                            draw(data, seed, number - 1, critic_steps))))
        stop_if_diverged(number, critic=gap, penalty=penalty)
        if watch:
            watch(number, gap=gap, penalty=penalty)
    return networks[2]


def load() -> keras.Model:
    """Return the generator with its shipped weights (trained by `python -m benchmarks.weights
    gan_tones`).
    """
    model = tone_generator(RECIPE["units"])
    return archives.read_weights(model, environment.shipped(WEIGHTS))


def generate(generator: keras.Model, z: np.ndarray, family: np.ndarray,
             pitch: np.ndarray) -> np.ndarray:
    """Invent the levels of notes.

    Notebook: 11_gan_invents_instruments

    Args:
        generator: `tone_generator`, trained or not.
        z: (notes, 16) noise; the same noise is the same instrument.
        family: (notes,) int, or (notes, 8) shares of families.
        pitch: (notes,) MIDI pitches.

    Returns:
        float32 (notes, 12, 80) in dB, for `instruments.play_note`.

    Raises:
        ValueError: if the arrays do not fit together, or there is no such family.
    """
    z, family, pitch = np.asarray(z, np.float32), np.asarray(family), np.asarray(pitch)
    known = (family.shape[1:] == (len(FAMILIES),)
             or (family.ndim == 1 and family.dtype.kind in "iu"
                 and np.isin(family, range(len(FAMILIES))).all()))
    if (z.ndim != 2 or z.shape[1] != LATENT or not known
            or not len(z) == len(family) == len(pitch) > 0):
        raise ValueError(f"Give noise (notes, {LATENT}), families 0 to {len(FAMILIES) - 1} "
                         f"(notes,) and pitches (notes,), as many of each, not {z.shape}, "
                         f"{family.shape} and {pitch.shape}.")
    told = conditions(family, pitch)
    blocks = [slice(first, first + BLOCK) for first in range(0, len(z), BLOCK)]
    made = [generator([z[rows], told["family"][rows], told["octave"][rows]], training=False)
            for rows in blocks]
    return from_unit(np.concatenate(made))


def instrument(generator: keras.Model, z: np.ndarray, family: int | np.ndarray) -> np.ndarray:
    """Invent one instrument: the levels of its notes at all pitches.

    Notebook: 11_gan_invents_instruments

    Args:
        generator: `tone_generator`.
        z: (16,) noise.
        family: index, or (8,) shares of families.

    Returns:
        float32 (25, 12, 80) in dB, as `instruments.perform` takes it.
    """
    pitches = np.array(tones.PITCHES)
    return generate(generator, np.tile(z, (len(pitches), 1)), np.stack([family] * len(pitches)),
                    pitches)
