"""Continue audio frame by frame: windows of features, free running, what is near a real frame, and
a piece to learn from.
"""
import contextlib
import hashlib
import io
import re
import textwrap
from collections.abc import Callable, Iterator

import keras
import numpy as np
from keras import layers, ops

from course_utils import synth
from course_utils.checks import SR, as_array, check_whole

NOTE = 2048  # samples of one note of the prelude: 8 frames
CHORDS = {"C": (48, 55, 60, 64), "Am": (45, 52, 60, 64), "F": (41, 53, 57, 60),
          "Dm": (50, 57, 62, 65), "G": (43, 55, 59, 62)}
NEXT = {"C": ("F", "Am"), "Am": ("F", "Dm"), "F": ("G", "Dm"), "Dm": ("G", "C"), "G": ("C", "Am")}
LONGEST_LINE = 230  # characters of an error message that are shown
NOISE = re.compile(r"Exception encountered|Arguments received|\s*•|\s*$")


def prelude(bars: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Play broken chords on a piano, each chord twice a bar, the next one by the toss of a coin.

    Notebook: 07_lstm_continues_audio

    Every note has a loudness and a delay of its own, as under human fingers: no moment of the sound
    comes back exactly.

    Args:
        bars: 1 to 1000; a bar lasts 1.024 s, 64 frames of the course's features.
        seed: of the coin and the fingers.

    Returns:
        y, float32 (bars * 16384,) at 16 kHz, and the name of each bar's chord, (bars,).
    """
    import pretty_midi

    check_whole("bars", bars, 1, 1000)
    rng, names = np.random.default_rng(seed), ["C"]
    while len(names) < bars:
        names.append(NEXT[names[-1]][rng.integers(2)])
    piano, length = pretty_midi.Instrument(0), NOTE / SR
    for number, pitch in enumerate(pitch for name in names for pitch in 2 * CHORDS[name]):
        start = max(0.0, number * length + rng.uniform(-0.008, 0.008))
        piano.notes.append(pretty_midi.Note(int(rng.integers(60, 110)), pitch, start,
                                            start + length))
    music, file = pretty_midi.PrettyMIDI(resolution=960), io.BytesIO()
    music.instruments.append(piano)
    music.write(file)
    return synth.render_midi(file.getvalue(), sr=SR)[:bars * 8 * NOTE], np.array(names)


def sequence_windows(frames: np.ndarray, targets: np.ndarray, length: int = 64,
                     hop_length: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """Cut frames into windows, each with the targets one frame later.

    Notebook: 07_lstm_continues_audio (written out)

    Args:
        frames: (frames, bins), what the network reads.
        targets: (frames, ...), what is to be predicted of each frame: the frames themselves, or a
            code for each.
        length: frames in a window, fewer than there are.
        hop_length: frames from one window's start to the next one's.

    Returns:
        Inputs (windows, length, bins) and targets (windows, length, ...): at each place, that of
        the next frame.
    """
    starts = range(0, len(frames) - length, hop_length)
    inputs = np.stack([frames[s:s + length] for s in starts])
    return inputs, np.stack([targets[s + 1:s + 1 + length] for s in starts])


def continue_frames(predict: Callable[[np.ndarray], np.ndarray], primer: np.ndarray,
                    steps: int) -> np.ndarray:
    """Let a network run free: feed it its own frames, one after the other.

    Notebook: 07_lstm_continues_audio (written out)

    Args:
        predict: a function from windows (batch, context, bins) to the next frames (batch, bins).
        primer: real frames to begin with, (batch, context, bins).
        steps: frames to invent.

    Returns:
        float32 (batch, steps, bins), without the primer.
    """
    frames, context = np.asarray(primer, np.float32), primer.shape[1]
    for _ in range(steps):
        following = predict(frames[:, -context:])
        frames = np.concatenate([frames, following[:, None]], axis=1, dtype=np.float32)
    return frames[:, context:]


def last_output(model) -> Callable[[np.ndarray], np.ndarray]:
    """Return a quick function from windows to a network's output at their last frame.

    Notebook: 07_lstm_continues_audio

    `model.predict` spends a tenth of a second on every call; this compiles the network once.

    Args:
        model: a Keras model from (batch, frames, bins) to (batch, frames, outputs).

    Returns:
        A function from float (batch, frames, bins) to float32 (batch, outputs).

    Example:
        >>> import keras
        >>> import numpy as np
        >>> from course_utils.lstm import continuing
        >>> continuing.last_output(keras.layers.Dense(10))(np.ones((3, 8, 64))).shape
        (3, 10)
    """
    import tensorflow as tf

    @tf.function(reduce_retracing=True)
    def compiled(windows):
        return model(windows, training=False)[:, -1]

    return lambda windows: compiled(tf.constant(windows, tf.float32)).numpy()


def draw_index(logits: np.ndarray, rng: np.random.Generator,
               temperature: float = 1.0) -> np.ndarray:
    """Draw an index with the probabilities softmax(logits / temperature).

    Notebook: 07_lstm_continues_audio (written out)

    The Gumbel-max trick: Gumbel, "Statistical theory of extreme values and some practical
    applications" (1954).

    Args:
        logits: (..., choices).
        rng: NumPy's random generator.
        temperature: above 0; small values play safe.

    Returns:
        int (...).
    """
    return (logits / temperature + rng.gumbel(size=logits.shape)).argmax(axis=-1)


def nearest(frames: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find for each frame the most similar one of those known.

    Notebook: 07_lstm_continues_audio

    Args:
        frames: (..., bins), such as log-mel in dB.
        known: (known, bins), at least one.

    Returns:
        The index of the most similar known frame, int (...), and how far away it is, the root of
        the mean squared difference over the bins, float (...), in the unit of the frames.

    Raises:
        ValueError: if the two do not have the same bins.

    Example:
        >>> from course_utils.lstm import continuing
        >>> index, distance = continuing.nearest([[9.0, 9.0], [1.0, 3.0]], known=[[1, 1], [9, 9]])
        >>> index.tolist(), distance.round(2).tolist()
        ([1, 0], [0.0, 1.41])
    """
    frames, known = as_array(frames).astype(np.float64), as_array(known).astype(np.float64)
    if known.ndim != 2 or not len(known) or frames.shape[-1:] != known.shape[1:]:
        raise ValueError("nearest takes frames of shape (..., bins) and known ones of shape "
                         f"(known, bins), with the same bins, not {frames.shape} and "
                         f"{known.shape}.")
    rows, squares = frames.reshape(-1, frames.shape[-1]), (known**2).sum(axis=1)
    blocks = np.split(rows, range(256, len(rows), 256))
    index = np.concatenate([(squares - 2 * block @ known.T).argmin(axis=1) for block in blocks])
    distance = np.sqrt(((rows - known[index]) ** 2).mean(axis=1))
    # (...), as the frames were
    return index.reshape(frames.shape[:-1]), distance.reshape(frames.shape[:-1])


def weights_checksum(model) -> str:
    """Return a checksum of a Keras model's weights, 16 hexadecimal digits, to be kept in files it
    generated.

    Example:
        >>> import keras
        >>> from course_utils.lstm import continuing
        >>> len(continuing.weights_checksum(keras.layers.Embedding(8, 2)))
        16
    """
    return hashlib.sha256(b"".join(weights.tobytes()
                                   for weights in model.get_weights())).hexdigest()[:16]


@contextlib.contextmanager
def expect_error() -> Iterator[None]:
    """Run a block that should fail, and print its error's last line, in brief, instead of stopping
    the notebook.

    Notebook: 07_lstm_continues_audio

    Example:
        >>> from course_utils.lstm import continuing
        >>> with continuing.expect_error():
        ...     [60, 62, 64][3]
        IndexError: list index out of range
    """
    try:
        yield
    except Exception as error:
        text = re.sub(r"\x1b\[[\d;]*m", "", str(error))
        line = next((line for line in text.splitlines() if not NOISE.match(line)),
                    "").split(" for '{{node")[0]
        print(textwrap.fill(f"{type(error).__name__}: "
                            + textwrap.shorten(line, LONGEST_LINE, placeholder=" …"), width=96))
    else:
        print("No error.")


def audio_lstm(outputs: int = 64, activation: str | None = None, bins: int = 64,
               hidden: int = 128) -> keras.Model:
    """Build the network that predicts the next frame of audio features.

    Notebook: 07_lstm_continues_audio (written out)

    Args:
        outputs: numbers a frame: the bins of the next frame, or one logit for each code of a
            codebook.
        activation: of the output layer; None for any real number.
        bins: numbers in a frame that goes in.
        hidden: LSTM units.

    Returns:
        A model from (batch, frames, bins) to (batch, frames, outputs).
    """
    frames = keras.Input((None, bins))
    states = layers.LSTM(hidden, return_sequences=True)(frames)
    return keras.Model(frames, layers.Dense(outputs, activation)(states))


def mixture_nll(y, outputs):
    """Return the negative log-likelihood of numbers under a mixture of Gaussians.

    Notebook: 07_lstm_continues_audio (written out)

    Bishop, "Mixture density networks" (1994).

    Args:
        y: (batch, 1), what happened.
        outputs: (batch, 3 * components): logits of the components, their means, and the logarithms
            of their widths.

    Returns:
        (batch,) in nats.
    """
    logits, means, log_widths = ops.split(outputs, 3, axis=-1)
    distance = (y - means) / ops.exp(log_widths)
    log_density = -0.5 * distance**2 - log_widths - 0.5 * np.log(2 * np.pi)
    return -ops.logsumexp(ops.log_softmax(logits) + log_density, axis=-1)
