"""What a waveform is: a float32 array `y`, (samples,) or (samples, channels), with its sample rate `sr` in Hz.

Full scale is -1 to 1. Every function of the course that takes a waveform checks it here first.
"""
import numpy as np

SR = 16000
MAX_CHANNELS = 32
HIGHEST = 1e10


def waveform(y: np.ndarray, *, mono: bool = False) -> np.ndarray:
    """Check a waveform and return it as float32 (taught in 01_loading_audio).

    Args:
        y: (samples,) or (samples, channels); floats, or integers of 8, 16 or 32 bits, whose full scale becomes -1 to 1.
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
        raise ValueError(f"This needs one channel, and the waveform has {y.shape[1]}. Mix them with audio.to_mono(y) first.")
    y = _to_float32(y)
    if not (np.abs(y) <= HIGHEST).all():
        raise ValueError("The waveform holds NaN, infinity or numbers that no sound has. "
                         "Find where they come from (a division by zero, a diverged network), or use np.nan_to_num(y).")
    return y


def as_array(values) -> np.ndarray:
    """Turn nested lists or a tensor into an array.

    Raises:
        ValueError: if its rows differ in length.
    """
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ValueError("The rows of one array need the same length. Cut or pad them, or treat them one by one.") from error


def _to_float32(y: np.ndarray) -> np.ndarray:
    if y.dtype.kind == "f":
        with np.errstate(over="ignore"):
            return y.astype(np.float32, copy=False)
    if y.dtype == np.uint8:
        return (y.astype(np.float32) - 128) / 128
    if y.dtype in (np.int8, np.int16, np.int32):
        return (y / 2.0 ** (8 * y.dtype.itemsize - 1)).astype(np.float32)
    raise ValueError(f"Samples of type {y.dtype} have no agreed full scale. Convert them to float32 between -1 and 1 first.")


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
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)) or not lowest <= value <= highest:
        raise ValueError(f"{name} is a number from {lowest:g} to {highest:g}, not {value!r}.")
    return float(value)


def to_mono(y: np.ndarray) -> np.ndarray:
    """Mix the channels of a waveform into one, by their mean: (samples, channels) to (samples,)."""
    y = waveform(y)
    return y if y.ndim == 1 else y.mean(axis=1)
