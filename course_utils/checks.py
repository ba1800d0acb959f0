"""Does what comes in fit? Every function of the course checks its sounds, arrays and numbers here,
once.

A waveform is a float32 array `y`, (samples,) or (samples, channels), with its sample rate `sr` in
Hz; full scale is -1 to 1. NumPy stretches an axis of length 1 to fit another, so that a wrong shape
would often give a wrong result instead of an error.
"""
from collections.abc import Sequence

import numpy as np

SR = 16000
MAX_CHANNELS = 32
LOUDEST = 1e10


def waveform(y: np.ndarray, *, mono: bool = False) -> np.ndarray:
    """Check a waveform and return it as float32.

    Notebook: 01_loading_audio

    Args:
        y: (samples,) or (samples, channels); floats, or integers of 8, 16 or 32 bits, whose full
            scale becomes -1 to 1.
        mono: refuse more than one channel.

    Returns:
        float32 of the same shape; a single column becomes (samples,).

    Raises:
        ValueError: if it is empty, has another shape or type, or holds NaN or infinity.
    """
    y = as_array(y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim not in (1, 2) or (y.ndim == 2 and y.shape[1] > MAX_CHANNELS):
        raise ValueError(f"A waveform has shape (samples,) or (samples, channels), not {y.shape}. "
                         "If the channels come first, turn it around with y.T.")
    if y.size == 0:
        raise ValueError("The waveform is empty: it holds no samples. Load or make at least one.")
    if mono and y.ndim == 2:
        raise ValueError(f"This needs one channel, and the waveform has {y.shape[1]}. Mix them "
                         "with audio.to_mono(y) first.")
    y = _to_float32(y)
    if not (np.abs(y) <= LOUDEST).all():
        raise ValueError("The waveform holds NaN, infinity or numbers that no sound has. Find "
                         "where they come from (a division by zero, a diverged network), or use "
                         "np.nan_to_num(y).")
    return y


def as_array(values) -> np.ndarray:
    """Turn nested lists or a tensor into an array.

    Raises:
        ValueError: if its rows differ in length.
    """
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ValueError("The rows of one array need the same length. Cut or pad them, or treat "
                         "them one by one.") from error


def _to_float32(y: np.ndarray) -> np.ndarray:
    if y.dtype.kind == "f":
        with np.errstate(over="ignore"):
            return y.astype(np.float32, copy=False)
    if y.dtype == np.uint8:
        return (y.astype(np.float32) - 128) / 128
    if y.dtype in (np.int8, np.int16, np.int32):
        return (y / 2.0 ** (8 * y.dtype.itemsize - 1)).astype(np.float32)
    raise ValueError(f"Samples of type {y.dtype} have no agreed full scale. Convert them to "
                     "float32 between -1 and 1 first.")


def check_rate(sr: int) -> int:
    """Check a sample rate in Hz and return it as an int.

    Raises:
        ValueError: if it is not a whole number from 100 to 768000.
    """
    if check_number("A sample rate in Hz", sr, 100, 768_000) != int(sr):
        raise ValueError(f"A sample rate is a whole number of Hz, and {sr!r} is not. Round it.")
    return int(sr)


def check_number(name: str, value: float, lowest: float, highest: float) -> float:
    """Check that a parameter is a number within its range, and return it as a float.

    Raises:
        ValueError: if it is not.
    """
    if isinstance(value, bool) or not isinstance(value,
                                                 (int, float, np.integer,
                                                  np.floating)) or not lowest <= value <= highest:
        raise ValueError(f"{name} is a number from {lowest:g} to {highest:g}, not {value!r}.")
    return float(value)


def to_mono(y: np.ndarray) -> np.ndarray:
    """Mix the channels of a waveform into one, by their mean: (samples, channels) to (samples,)."""
    y = waveform(y)
    return y if y.ndim == 1 else y.mean(axis=1)


def check_shapes(axes: str, *arrays: np.ndarray) -> None:
    """Compare arrays with the letters of their axes: axes of the same letter have the same length.

    Args:
        axes: such as "ni, io, o" for x of (batch, inputs), w of (inputs, outputs) and b of
            (outputs,).

    Raises:
        ValueError: if an array is none of floats, is empty, has other axes, or does not fit another
            one.

    Example:
        >>> import numpy as np
        >>> from course_utils import checks
        >>> checks.check_shapes("ni, io", np.ones((2, 3)), np.ones((4, 5)))
        Traceback (most recent call last):
        ValueError: The shapes (2, 3), (4, 5) do not fit together: their axes are 'ni, io', and
        'i' is once 3 long, once 4.
    """
    lengths: dict[str, int] = {}
    for letters, array in zip(axes.split(", "), arrays, strict=True):
        if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
            kind = (f"an array of {array.dtype}" if isinstance(array, np.ndarray)
                    else type(array).__name__)
            raise ValueError(f"The layers take NumPy arrays of floats, not {kind}. Use "
                             "np.asarray(..., dtype=float).")
        if array.ndim != len(letters) or not array.size:
            raise ValueError(f"An array of shape {array.shape} does not fit: it should have the "
                             f"axes {', '.join(letters)} (of '{axes}'), none of them empty. Add an "
                             "axis with array[..., None] where one is missing.")
        for letter, length in zip(letters, array.shape):
            if lengths.setdefault(letter, length) != length:
                shapes = ", ".join(str(other.shape) for other in arrays)
                raise ValueError(f"The shapes {shapes} do not fit together: their axes are "
                                 f"'{axes}', and '{letter}' is once {lengths[letter]} long, once "
                                 f"{length}.")


def check_conv(axes: str, x: np.ndarray, w: np.ndarray, b_or_dy: np.ndarray, stride: int,
               padding: int) -> None:
    """Check what a convolution gets: shapes as `check_shapes` does, stride, padding, and that the
    filters fit in.

    Raises:
        ValueError: if something does not fit.
    """
    check_shapes(axes, x, w, b_or_dy)
    check_whole("stride", stride, 1)
    check_whole("padding", padding, 0)
    padded = [length + 2 * padding for length in x.shape[1:-1]]
    steps = tuple(1 + (length - width) // stride for length, width in zip(padded, w.shape))
    if min(steps) < 1:
        raise ValueError(f"Filters of {w.shape[:-2]} do not fit into an input of {tuple(padded)}, "
                         "padding included. Take a shorter filter or more padding.")
    if b_or_dy.ndim > 1 and b_or_dy.shape[1:-1] != steps:
        raise ValueError(f"dy has {b_or_dy.shape[1:-1]} steps, but the convolution makes {steps}. "
                         "Were stride and padding the same on the way forward?")


def check_pool(x: np.ndarray, size: int, dy: np.ndarray | None = None) -> None:
    """Check what max-pooling gets.

    Raises:
        ValueError: if something does not fit.

    Example:
        >>> import numpy as np
        >>> from course_utils import checks
        >>> checks.check_pool(np.ones((1, 3, 1)), size=5)
        Traceback (most recent call last):
        ValueError: Groups of 5 do not fit into 3 steps. Take a smaller size.
    """
    check_shapes("nt" + "abcd"[: np.ndim(x) - 2], x)
    check_whole("size", size, 1)
    if size > x.shape[1]:
        raise ValueError(f"Groups of {size} do not fit into {x.shape[1]} steps. Take a smaller "
                         "size.")
    if dy is not None:
        check_same([dy], [x[:, : x.shape[1] // size]])


def check_same(*lists: Sequence[np.ndarray]) -> None:
    """Check that lists of arrays are equally long, and their arrays equally shaped.

    Raises:
        ValueError: if not.

    Example:
        >>> import numpy as np
        >>> from course_utils import checks
        >>> checks.check_same([np.zeros(3)], [np.zeros((3, 1))])
        Traceback (most recent call last):
        ValueError: The shapes [(3,)] and [(3, 1)] should be the same. Do they belong to the same
        network?
    """
    shapes = [[np.shape(array) for array in arrays] for arrays in lists]
    for other in shapes[1:]:
        if other != shapes[0]:
            raise ValueError(f"The shapes {shapes[0]} and {other} should be the same. Do they "
                             "belong to the same network?")


def check_labels(logits: np.ndarray, labels: np.ndarray) -> None:
    """Check that there is one label for each row of logits, and that each is the number of a class.

    Raises:
        ValueError: if not.

    Example:
        >>> import numpy as np
        >>> from course_utils import checks
        >>> checks.check_labels(np.zeros((2, 3)), [1, 3])  # three classes: 0, 1 and 2
        Traceback (most recent call last):
        ValueError: Labels run from 0 to 2 here, not from 1 to 3.
    """
    check_shapes("no", logits)
    labels = np.asarray(labels)
    if labels.shape != (len(logits),) or labels.dtype.kind not in "iu":
        raise ValueError(f"{len(logits)} rows of logits need as many whole numbers as labels, not "
                         f"{labels.dtype} of shape {labels.shape}.")
    if labels.min() < 0 or labels.max() >= logits.shape[1]:
        raise ValueError(f"Labels run from 0 to {logits.shape[1] - 1} here, not from "
                         f"{labels.min()} to {labels.max()}.")


def check_whole(name: str, count: int, lowest: int, highest: int | None = None) -> None:
    """Check that a number is whole, not below the lowest, and not above the highest, if there is
    one.

    Raises:
        ValueError: if not.

    Example:
        >>> from course_utils import checks
        >>> checks.check_whole("hop_length", 0.5, 1)
        Traceback (most recent call last):
        ValueError: hop_length is a whole number from 1 on, not 0.5.
    """
    whole = isinstance(count, int | np.integer) and not isinstance(count, bool)
    if not whole or count < lowest or (highest is not None and count > highest):
        span = f"from {lowest} on" if highest is None else f"from {lowest} to {highest} here"
        raise ValueError(f"{name} is a whole number {span}, not {count!r}.")


def check_sizes(n_fft: int, hop_length: int) -> None:
    """Check the window and the hop of a short-time Fourier transform, in samples.

    Raises:
        ValueError: if the window is odd or of no usual length, or the hop longer than the window.
    """
    check_whole("n_fft", n_fft, 1, 2**16)
    check_whole("hop_length", hop_length, 1, n_fft)
    if n_fft % 2 or n_fft < 16:
        raise ValueError(f"n_fft is an even number from 16 on, not {n_fft}. The course uses 1024.")


def check_double(x: np.ndarray) -> None:
    """Check that an array is in double precision, as measuring a gradient by small steps needs.

    Raises:
        ValueError: if not.

    Example:
        >>> import numpy as np
        >>> from course_utils import checks
        >>> checks.check_double(np.ones(3, np.float32))
        Traceback (most recent call last):
        ValueError: Gradients can be measured in float64 only, not in float32: smaller types round
        the small steps away. Use np.asarray(x, dtype=float).
    """
    if not isinstance(x, np.ndarray) or x.dtype != np.float64:
        kind = getattr(x, "dtype", type(x).__name__)
        raise ValueError(f"Gradients can be measured in float64 only, not in {kind}: smaller types "
                         "round the small steps away. Use np.asarray(x, dtype=float).")
