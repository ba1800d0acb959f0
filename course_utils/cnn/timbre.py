"""Hear timbre: pictures of notes, augmentation, training, and what the trained network says of any
recording.
"""
import functools

import numpy as np

from course_utils import audio, environment
from course_utils.checks import SR, check_rate, to_mono, waveform
from course_utils.cnn import networks
from course_utils.outside import archives
from course_utils.sound import features, tones

SAMPLES = round(tones.LENGTH * SR)
RANGE = 70.0  # dB below the loudest spot of a note that the networks see
SHORTEST = 0.25  # seconds
SILENCE = 1e-4
BLOCK = 256


def pictures(y: np.ndarray) -> np.ndarray:
    """Turn notes into what the networks see: log-mel spectrograms relative to the loudest spot.

    Notebook: 05_cnn_hears_timbre

    Args:
        y: (notes, 16000), one second each at 16 kHz, however loud.

    Returns:
        float32 (notes, 63, 64), from -1 (70 dB below the loudest spot of the note, or less) to 1.

    Example:
        >>> import numpy as np
        >>> from course_utils.cnn import timbre
        >>> seen = timbre.pictures(0.01 * np.sin(np.arange(16000)))
        >>> seen.shape, float(seen.max())  # the loudest spot, however soft the note
        ((1, 63, 64), 1.0)
    """
    y = np.atleast_2d(y)
    # As loud as can be, since features have an absolute floor: a soft note would lose what lies 60
    # dB below its loudest spot.
    level = features.log_mel(y / np.maximum(np.abs(y).max(axis=1, keepdims=True), 1e-9), SR)
    level = level - level.max(axis=(1, 2), keepdims=True)
    return 1 + 2 * np.maximum(level, -RANGE) / RANGE


def balance(family: np.ndarray, program: np.ndarray) -> np.ndarray:
    """Weigh tones so that every family counts the same, and within it every instrument.

    Notebook: 05_cnn_hears_timbre

    Returns:
        float32 (tones,), of mean 1.

    Example:
        >>> import numpy as np
        >>> from course_utils.cnn import timbre
        >>> timbre.balance(family=np.array([0, 0, 0, 1]), program=np.array([5, 5, 6, 9])).tolist()
        [0.5, 0.5, 1.0, 2.0]
    """
    weight = np.zeros(len(family), np.float32)
    for one in np.unique(family):
        instruments, inverse, count = np.unique(program[family == one], return_inverse=True,
                                                return_counts=True)
        weight[family == one] = 1 / (len(instruments) * count[inverse])
    return weight / weight.mean()


def balanced_accuracy(family: np.ndarray, heard: np.ndarray) -> float:
    """Return the mean, over families, of the share that was heard rightly: 1 / families for a blind
    guess.

    Example:
        >>> import numpy as np
        >>> from course_utils.cnn import timbre
        >>> timbre.balanced_accuracy(np.array([0, 0, 0, 1]), heard=np.array([0, 0, 0, 0]))
        0.5
    """
    return float(np.mean([(heard[family == one] == one).mean() for one in np.unique(family)]))


def blend(x: np.ndarray, family: np.ndarray, pitch: np.ndarray,
          rng: np.random.Generator) -> np.ndarray:
    """Mix every note with another one of its family and pitch: an instrument between the two.

    Notebook: 05_cnn_hears_timbre

    Args:
        x: (notes, 63, 64), pictures.
        family, pitch: (notes,) int.
        rng: NumPy's random generator.

    Returns:
        float32 of the same shape; the mixture is one of decibels, at random from 0 to all of the
        other note.
    """
    partner = np.arange(len(x))
    kind = 1000 * family + pitch
    for one in np.unique(kind):
        partner[kind == one] = rng.permutation(partner[kind == one])
    share = rng.random((len(x), 1, 1), np.float32)
    return share * x + (1 - share) * x[partner]


def augment(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Change pictures of notes at random as rooms, microphones and players do.

    Notebook: 05_cnn_hears_timbre

    Each note gets a smooth equalizer (1.5 dB), begins up to 3 frames later, and half of them a
    floor of steady noise.

    Args:
        x: (notes, 63, 64), pictures.
        rng: NumPy's random generator.

    Returns:
        float32 of the same shape.
    """
    count, bands = len(x), np.arange(x.shape[2]) / x.shape[2]
    curves = sum(rng.normal(0, 1.5, (count, 1)) * np.cos(np.pi * k * bands) for k in range(1, 6))
    level = RANGE * (x - 1) / 2 + curves[:, None]
    late = rng.integers(0, 4, count)
    level = np.take_along_axis(level,
                               np.maximum(np.arange(x.shape[1]) - late[:, None], 0)[..., None],
                               axis=1)
    noise = np.where(rng.random(count) < 0.5, rng.uniform(-90, -40, count), -200)[:, None, None]
    level = 10 * np.log10(10 ** (level / 10) + 10 ** (noise / 10))
    level = level - level.max(axis=(1, 2), keepdims=True)
    return (1 + 2 * np.maximum(level, -RANGE) / RANGE).astype(np.float32)


def train(model, x: np.ndarray, family: np.ndarray, weight: np.ndarray, epochs: int, *,
          learning_rate: float = 2e-3, change=None, seed: int = 0,
          validation: tuple | None = None) -> dict[str, list[float]]:
    """Train a classifier with cross-entropy and Adam, the learning rate falling to 0.

    Notebook: 05_cnn_hears_timbre

    Args:
        model: a Keras model that ends in a softmax.
        x: (tones, ...), what it reads.
        family: (tones,) int.
        weight: (tones,), of mean 1.
        epochs: passes through all tones, in batches of 64.
        learning_rate: at the beginning; it follows half a cosine.
        change: function of (x, generator) that augments all tones anew before each epoch; None for
            none.
        seed: of shuffling, dropout and augmentation.
        validation: pictures and families to be measured after each epoch.

    Returns:
        Lists with one number an epoch: "loss", "accuracy", and with `validation` also "val_loss",
        "val_accuracy".
    """
    import keras

    environment.seed_everything(seed)
    rng, curves = np.random.default_rng(seed), {}
    steps = epochs * -(-len(x) // 64)
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    model.compile(keras.optimizers.Adam(schedule), "sparse_categorical_crossentropy",
                  weighted_metrics=["accuracy"])
    for _ in range(epochs):
        seen = x if change is None else change(x, rng)
        told = model.fit(seen, family, batch_size=64, sample_weight=weight,
                         validation_data=validation, verbose=0).history
        for name, values in told.items():
            curves.setdefault(name, []).extend(values)
    return curves


def predict(model, x: np.ndarray) -> np.ndarray:
    """Return what a model says of any number of inputs, (inputs, outputs).

    Notebook: 05_cnn_hears_timbre

    Example:
        >>> import numpy as np
        >>> from course_utils.cnn import timbre
        >>> timbre.predict(lambda x, training: x.mean(axis=2), np.ones((1000, 8, 64))).shape
        (1000, 8)
    """
    # Not model.predict, which traces itself anew for every model and warns of it after the fifth.
    return np.concatenate([np.asarray(model(x[first:first + BLOCK], training=False))
                           for first in range(0, len(x), BLOCK)])


def load() :
    """Return `timbre_cnn` with its shipped weights (trained by `python -m benchmarks.weights
    timbre_cnn`).
    """
    model = networks.timbre_cnn()
    return archives.read_weights(model, environment.shipped("weights/timbre_cnn.weights.h5"))


@functools.cache
def _shipped():
    import keras

    model = load()
    return keras.Model(model.input, [model.get_layer("embedding").output, model.output])


def windows(y: np.ndarray, sr: int) -> np.ndarray:
    """Cut one second of sound from each note's beginning on.

    Notebook: 05_cnn_hears_timbre

    A note begins where the mel bands rise by 3 dB on average, and more than before and after. A
    recording without such a place, or with loud sound before the first, also counts from its first
    loud moment on.

    Args:
        y: (samples,) or (samples, channels), at least 0.25 s.
        sr: its sample rate in Hz.

    Returns:
        float32 (notes, 16000), at least one; silence follows where the recording ends earlier.

    Raises:
        ValueError: if the recording is silent, too short, or no sound (NaN, wrong shape).
    """
    from scipy.signal import find_peaks

    y, sr = to_mono(waveform(y)), check_rate(sr)
    if len(y) < SHORTEST * sr:
        raise ValueError(f"This lasts {len(y) / sr:.2f} s. A timbre needs {SHORTEST} s at least: "
                         "record a longer note.")
    y = audio.resample(y, sr, SR)
    if np.abs(y).max() < SILENCE:
        raise ValueError("The recording is silent. Check the microphone, or choose a louder part "
                         "of it.")
    level = features.log_mel(y / np.abs(y).max(), SR)
    loud = np.flatnonzero(level.max(axis=1) > level.max() - 40)
    rise = np.maximum(np.diff(np.maximum(level, level.max() - 70), axis=0, prepend=level[:1]),
                      0).mean(axis=1)
    begins = find_peaks(rise, height=3, distance=8)[0]
    strength, last = np.maximum(level, level.max() - 70).mean(axis=1), len(level) - 1
    before, after = strength[np.maximum(begins - 4, 0)], strength[np.minimum(begins + 4, last)]
    begins = begins[(after > before + 1)
                    & (level[np.minimum(begins + 2, last)].max(axis=1) > level.max() - 40)]
    if not len(begins) or loud[0] < begins[0] - 4:
        begins = np.r_[loud[0], begins]
    starts = np.clip((begins - 1) * features.HOP_LENGTH, 0, None)
    padded = np.pad(y, (0, SAMPLES))
    return np.stack([padded[start:start + SAMPLES] for start in starts])


def listen(notes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ask the shipped network about single notes.

    Notebook: 11_gan_invents_instruments

    Args:
        notes: (notes, 16000), one second each at 16 kHz.

    Returns:
        Embeddings, float64 (notes, 64), and the probability of each family, (notes, 8).
    """
    blocks = [_shipped()(pictures(notes[first:first + BLOCK]), training=False)
              for first in range(0, len(notes), BLOCK)]
    embeddings, said = (np.concatenate(part) for part in zip(*blocks))
    return embeddings.astype(float), said


def embed(y: np.ndarray, sr: int) -> np.ndarray:
    """Describe the timbre of each note of a recording by 64 numbers.

    Notebook: 05_cnn_hears_timbre

    Args:
        y: (samples,) or (samples, channels), at least 0.25 s, at any level.
        sr: its sample rate in Hz.

    Returns:
        float32 (notes, 64), what the last hidden layer of the shipped network says. Take the mean
        for the whole recording.

    Raises:
        ValueError: as `windows`.
    """
    return listen(windows(y, sr))[0].astype(np.float32)


def classify(y: np.ndarray, sr: int) -> dict[str, float]:
    """Tell which family of instruments a recording sounds like.

    Notebook: 05_cnn_hears_timbre

    It knows single notes of eight families and nothing else: voices, chords, drums and mixtures get
    an answer, too.

    Args:
        y: (samples,) or (samples, channels), at least 0.25 s, at any level.
        sr: its sample rate in Hz.

    Returns:
        The probability of each family, averaged over the notes; the most likely one first.

    Raises:
        ValueError: as `windows`.
    """
    mean = listen(windows(y, sr))[1].mean(axis=0)
    return {tuple(tones.FAMILIES)[k]: float(mean[k]) for k in np.argsort(-mean)}
