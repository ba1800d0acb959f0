"""Two bars for four voices, all at once, by a generative adversarial network: the grids, the
networks, and what they compose.

A bar here is a grid of eighth notes: whole numbers 0..47 for C2 to B5, (steps, voices), 8 steps a
bar of 4/4. All music stands in C major or A minor. A network sees it as ones and zeros, (batch,
steps, 4, 48).
"""
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from course_utils import environment
from course_utils.checks import check_whole
from course_utils.gan.bar_measures import C2, PITCHES
from course_utils.outside import archives
from course_utils.scores import REST, Score, bars, from_grid

BAR = 8
STEPS, BEFORE = 2 * BAR, BAR  # what the generator composes, and what it may hear before
UNKNOWN = -1  # in place of the bar before, where there is none
NOISE = 64
# Circles: how often a pitch goes round each of them in two octaves. The slow ones tell large
# intervals from small ones.
ROUNDS = np.array([1 / 4, 1 / 2, *range(1, 13)])
ANGLES = 2 * np.pi / 24 * np.outer(np.arange(PITCHES), ROUNDS)
COS, SIN = np.cos(ANGLES).astype(np.float32), np.sin(ANGLES).astype(np.float32)


def semitones_home(key: int) -> int:
    """Return how far music in a key (0..11 major, 12..23 minor) has to move to C major or A minor:
    -6 to 5 semitones.
    """
    return (6 - (key if key < 12 else key - 21)) % 12 - 6


def eighths(score: Score, first: int, steps: int) -> np.ndarray | None:
    """Return so many eighth notes from a step on, moved home, as numbers 0..47; None if there is a
    rest or an extreme pitch.
    """
    pitches = score.pitches[first : first + 2 * steps : 2].astype(int)
    moved = pitches + semitones_home(score.key) - C2
    inside = (len(pitches) == steps and (pitches != REST).all() and moved.min() >= 0
              and moved.max() < PITCHES)
    return moved.astype(np.int8) if inside else None


def bar_windows(pieces: Sequence[Score]) -> np.ndarray:
    """Cut all pairs of whole 4/4 bars out of chorales, with the bar before where there is one.

    Notebook: 10_gan_composes_bars

    Args:
        pieces: scores of four voices whose keys are known, such as `datasets.chorales("train")`.

    Returns:
        int8 (windows, 24, 4), 0..47 for C2 to B5, in C major or A minor; the first 8 steps are -1
        where there is no bar before.

    Raises:
        ValueError: if no piece has two such bars.

    Example:
        >>> from course_utils import scores
        >>> from course_utils.gan import bar_gan
        >>> piece = scores.from_grid([[72, 67, 64, 48]] * 48, key=0)  # three bars
        >>> bar_gan.bar_windows([piece]).shape  # two pairs, each after a bar before
        (2, 24, 4)
    """
    windows = []
    for piece in pieces:
        whole = {begin for begin, end in bars(piece) if end - begin == 2 * BAR == piece.bar[begin]}
        for begin in sorted(whole):
            if begin + 2 * BAR in whole and (pair := eighths(piece, begin, STEPS)) is not None:
                before = (eighths(piece, begin - 2 * BAR, BEFORE) if begin - 2 * BAR in whole
                          else None)
                before = np.full((BEFORE, 4), UNKNOWN, np.int8) if before is None else before
                windows.append(np.concatenate([before, pair]))
    if not windows:
        raise ValueError("In these pieces there are no two whole 4/4 bars in a row without rests, "
                         "between C2 and B5.")
    return np.stack(windows)


def one_hot(tokens):
    """Turn whole numbers (…, 4) into ones and zeros (…, 4, 48), float32; -1 into zeros only.

    Example:
        >>> from course_utils.gan import bar_gan
        >>> bar_gan.one_hot([47, -1]).numpy().sum(axis=1).tolist()
        [1.0, 0.0]
    """
    return tf.one_hot(tf.cast(tokens, tf.int32), PITCHES)


def straight_through(logits, temperature: float = 1.0):
    """Choose the likeliest pitch of each voice and step, with the gradient of a softmax.

    Notebook: 10_gan_composes_bars (written out)

    Source: Bengio, Léonard and Courville, Estimating or propagating gradients through stochastic
    neurons (2013).

    Args:
        logits: (…, pitches).
        temperature: of the softmax that lends its gradient.

    Returns:
        Ones and zeros, of the shape of the logits.
    """
    soft = tf.nn.softmax(logits / temperature)
    hard = tf.one_hot(tf.argmax(logits, axis=-1), logits.shape[-1])
    return soft + tf.stop_gradient(hard - soft)


def gumbel(logits):
    """Add noise such that the likeliest choice becomes a draw from the softmax.

    Notebook: 10_gan_composes_bars

    Source: Jang, Gu and Poole, Categorical reparameterization with Gumbel-softmax (2017), equation
    1.
    """
    return logits - tf.math.log(-tf.math.log(tf.random.uniform(tf.shape(logits), 1e-6, 1 - 1e-6)))


def bar_generator(units: int = 128) -> keras.Model:
    """Build the network that composes two bars of noise.

    Notebook: 10_gan_composes_bars (written out)

    Args:
        units: channels of each layer.

    Returns:
        A model from noise (batch, 64) and the bar before (batch, 8, 4, 48), zeros for none, to
        logits (batch, 16, 4, 48).
    """
    noise, before = keras.Input((NOISE,)), keras.Input((BEFORE, 4, PITCHES))
    heard = layers.Dense(units // 2, "relu")(layers.Reshape((BEFORE, -1))(before))
    heard = layers.Dense(units, "relu")(layers.Flatten()(heard))
    x = layers.Concatenate()([noise, heard])
    for size in (2 * units, STEPS // 4 * units):
        x = layers.ReLU()(layers.BatchNormalization()(layers.Dense(size)(x)))
    x = layers.Reshape((STEPS // 4, units))(x)
    for _ in range(2):
        x = layers.Conv1DTranspose(units, 4, strides=2, padding="same")(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.ReLU()(layers.BatchNormalization()(layers.Conv1D(units, 3, padding="same")(x)))
    logits = layers.Reshape((STEPS, 4, PITCHES))(layers.Dense(4 * PITCHES)(x))
    return keras.Model([noise, before], logits)


def turns(upper, lower):
    """Return cosine and sine of the angles between two pitches on each circle.

    Notebook: 10_gan_composes_bars (written out)

    They depend on the interval alone, and so are the same in every key.

    Args:
        upper: pair of tensors (batch, steps, voices, 14), cosines and sines of the pitches' angles.
        lower: the same of the other pitches.

    Returns:
        (batch, steps, voices * 28).
    """
    (c, s), (c0, s0) = upper, lower
    angles = ops.concatenate([c * c0 + s * s0, s * c0 - c * s0], axis=-1)
    # (batch, steps, voices * 28)
    return ops.reshape(angles, (-1, angles.shape[1], angles.shape[2] * angles.shape[3]))


def intervals(x):
    """Return what makes music audible: intervals between the voices of a step, and of each voice to
    its step before.

    Notebook: 10_gan_composes_bars (written out)

    Args:
        x: (batch, steps, 4, 48).

    Returns:
        (batch, steps, 280).
    """
    c, s = ops.matmul(x, COS), ops.matmul(x, SIN)
    chords = [turns((c[:, :, :-d], s[:, :, :-d]), (c[:, :, d:], s[:, :, d:])) for d in (1, 2, 3)]
    moves = turns((c[:, 1:], s[:, 1:]), (c[:, :-1], s[:, :-1]))
    return ops.concatenate([*chords, ops.pad(moves, [[0, 0], [1, 0], [0, 0]])], axis=-1)


def bar_critic(units: int = 128, hears_intervals: bool = True) -> keras.Model:
    """Build the network that scores bars.

    Notebook: 10_gan_composes_bars (written out)

    Args:
        units: channels of each layer.
        hears_intervals: give it `intervals`, besides the pitches.

    Returns:
        A model from the bar before and the two bars in a row, (batch, 24, 4, 48), to scores (batch,
        1).
    """
    grid = keras.Input((BEFORE + STEPS, 4, PITCHES))
    x = layers.Reshape((BEFORE + STEPS, -1))(grid)
    if hears_intervals:
        x = layers.Concatenate()([x, 0.3 * intervals(grid)])
    x = layers.LeakyReLU(0.2)(layers.Dense(units)(x))
    for _ in range(2):
        x = layers.LeakyReLU(0.2)(layers.Conv1D(units, 4, strides=2, padding="same")(x))
    x = layers.LeakyReLU(0.2)(layers.Dense(units)(layers.Flatten()(x)))
    return keras.Model(grid, layers.Dense(1)(x))


def generate(generator: keras.Model, noise: np.ndarray,
             before: np.ndarray | None = None) -> np.ndarray:
    """Compose two bars of each row of noise.

    Notebook: 10_gan_composes_bars

    Args:
        generator: what `bar_generator` built.
        noise: (pieces, 64).
        before: (pieces, 8, 4), the bar before as whole numbers 0..47, -1 for none; by default there
            is none.

    Returns:
        int8 (pieces, 16, 4), 0..47 for C2 to B5.

    Raises:
        ValueError: if a shape is another.
    """
    noise = np.asarray(noise, np.float32)
    before = np.full((len(noise), BEFORE, 4), UNKNOWN) if before is None else np.asarray(before)
    if noise.shape != (len(before), NOISE) or before.shape[1:] != (BEFORE, 4):
        raise ValueError(f"Give noise of shape (pieces, {NOISE}) and as many bars before, "
                         f"({BEFORE}, 4) each, not {noise.shape} and {before.shape}.")
    logits = generator([tf.constant(noise), one_hot(before)], training=False)
    return ops.convert_to_numpy(ops.argmax(logits, axis=-1)).astype(np.int8)


def chain(generator: keras.Model, pieces: int, pairs: int, seed: int) -> np.ndarray:
    """Compose longer pieces: two bars, two more that follow on the last of them, and so on.

    Notebook: 10_gan_composes_bars

    Args:
        generator: what `bar_generator` built, trained with the bar before.
        pieces: how many.
        pairs: pairs of bars of each.
        seed: the same seed gives the same music.

    Returns:
        int8 (pieces, 16 * pairs, 4).

    Raises:
        ValueError: if one of the numbers is no whole number from 1 on.
    """
    check_whole("pieces", pieces, 1)
    check_whole("pairs", pairs, 1)
    rng, parts = np.random.default_rng(seed), []
    for _ in range(pairs):
        before = parts[-1][:, -BEFORE:] if parts else None
        parts.append(generate(generator, rng.standard_normal((pieces, NOISE)), before))
    return np.concatenate(parts, axis=1)


def to_score(tokens: np.ndarray, semitones: int = 0, title: str = "") -> Score:
    """Turn numbers 0..47 on eighth notes into a score on sixteenths, 4/4.

    Notebook: 10_gan_composes_bars

    Args:
        tokens: (steps, voices); a note lasts until the pitch changes.
        semitones: how far to move it from C major, up or down.
        title: name of the piece.

    Raises:
        ValueError: if a number lies outside of 0..47, or the array has another shape.

    Example:
        >>> import numpy as np
        >>> from course_utils.gan import bar_gan
        >>> score = bar_gan.to_score(np.zeros((16, 4)), semitones=2)  # two bars of eighths
        >>> len(score), int(score.pitches[0, 0]), score.key
        (32, 38, 2)
    """
    tokens = np.asarray(tokens).astype(int)
    if tokens.ndim != 2 or not tokens.size or tokens.min() < 0 or tokens.max() >= PITCHES:
        raise ValueError(f"Give a grid (steps, voices) of numbers from 0 to {PITCHES - 1}, one "
                         f"piece at a time, not shape {tokens.shape}.")
    return from_grid(np.repeat(tokens + C2 + semitones, 2, axis=0), key=semitones % 12,
                     title=title)


def load() -> keras.Model:
    """Return the generator with its shipped weights (trained by `python -m benchmarks.weights
    gan_bars`).
    """
    generator = bar_generator()
    return archives.read_weights(generator,
                                 environment.shipped("weights/gan_bars.weights.h5"))
