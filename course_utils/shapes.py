"""Do the arrays fit together? What the layers written in NumPy check before they compute (taught in 04_convolution_from_scratch).

NumPy stretches an axis of length 1 to fit another, so a wrong shape would often give a wrong result instead of an error.
"""
from collections.abc import Sequence

import numpy as np


def check_shapes(axes: str, *arrays: np.ndarray) -> None:
    """Compare arrays with the letters of their axes: axes of the same letter have the same length.

    Args:
        axes: such as "ni, io, o" for x of (batch, inputs), w of (inputs, outputs) and b of (outputs,).

    Raises:
        ValueError: if an array is none of floats, is empty, has other axes, or does not fit another one.
    """
    lengths: dict[str, int] = {}
    for letters, array in zip(axes.split(", "), arrays, strict=True):
        if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
            kind = f"an array of {array.dtype}" if isinstance(array, np.ndarray) else type(array).__name__
            raise ValueError(f"The layers take NumPy arrays of floats, not {kind}. Use np.asarray(..., dtype=float).")
        if array.ndim != len(letters) or not array.size:
            raise ValueError(f"An array of shape {array.shape} does not fit: it should have the axes {', '.join(letters)} "
                             f"(of '{axes}'), none of them empty. Add an axis with array[..., None] where one is missing.")
        for letter, length in zip(letters, array.shape):
            if lengths.setdefault(letter, length) != length:
                shapes = ", ".join(str(other.shape) for other in arrays)
                raise ValueError(f"The shapes {shapes} do not fit together: their axes are '{axes}', and '{letter}' is once "
                                 f"{lengths[letter]} long, once {length}.")


def check_conv(axes: str, x: np.ndarray, w: np.ndarray, b_or_dy: np.ndarray, stride: int, padding: int) -> None:
    """Check what a convolution gets: shapes as `check_shapes` does, stride, padding, and that the filters fit in.

    Raises:
        ValueError: if something does not fit.
    """
    check_shapes(axes, x, w, b_or_dy)
    check_whole("stride", stride, 1)
    check_whole("padding", padding, 0)
    padded = [length + 2 * padding for length in x.shape[1:-1]]
    steps = tuple(1 + (length - width) // stride for length, width in zip(padded, w.shape))
    if min(steps) < 1:
        raise ValueError(f"Filters of {w.shape[:-2]} do not fit into an input of {tuple(padded)}, padding included. "
                         "Take a shorter filter or more padding.")
    if b_or_dy.ndim > 1 and b_or_dy.shape[1:-1] != steps:
        raise ValueError(f"dy has {b_or_dy.shape[1:-1]} steps, but the convolution makes {steps}. Were stride and padding "
                         "the same on the way forward?")


def check_pool(x: np.ndarray, size: int, dy: np.ndarray | None = None) -> None:
    """Check what max-pooling gets.

    Raises:
        ValueError: if something does not fit.
    """
    check_shapes("nt" + "abcd"[: np.ndim(x) - 2], x)
    check_whole("size", size, 1)
    if size > x.shape[1]:
        raise ValueError(f"Groups of {size} do not fit into {x.shape[1]} steps. Take a smaller size.")
    if dy is not None:
        check_same([dy], [x[:, : x.shape[1] // size]])


def check_same(*lists: Sequence[np.ndarray]) -> None:
    """Check that lists of arrays are equally long, and their arrays equally shaped.

    Raises:
        ValueError: if not.
    """
    shapes = [[np.shape(array) for array in arrays] for arrays in lists]
    for other in shapes[1:]:
        if other != shapes[0]:
            raise ValueError(f"The shapes {shapes[0]} and {other} should be the same. Do they belong to the same network?")


def check_labels(logits: np.ndarray, labels: np.ndarray) -> None:
    """Check that there is one label for each row of logits, and that each is the number of a class.

    Raises:
        ValueError: if not.
    """
    check_shapes("no", logits)
    labels = np.asarray(labels)
    if labels.shape != (len(logits),) or labels.dtype.kind not in "iu":
        raise ValueError(f"{len(logits)} rows of logits need as many whole numbers as labels, not {labels.dtype} of shape "
                         f"{labels.shape}.")
    if labels.min() < 0 or labels.max() >= logits.shape[1]:
        raise ValueError(f"Labels run from 0 to {logits.shape[1] - 1} here, not from {labels.min()} to {labels.max()}.")


def check_whole(name: str, count: int, lowest: int) -> None:
    """Check that a number is whole, and not below the lowest.

    Raises:
        ValueError: if not.
    """
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < lowest:
        raise ValueError(f"{name} is a whole number from {lowest} on, not {count!r}.")


def check_double(x: np.ndarray) -> None:
    """Check that an array is in double precision, as measuring a gradient by small steps needs.

    Raises:
        ValueError: if not.
    """
    if not isinstance(x, np.ndarray) or x.dtype != np.float64:
        kind = getattr(x, "dtype", type(x).__name__)
        raise ValueError(f"Gradients can be measured in float64 only, not in {kind}: smaller types round the small steps away. "
                         "Use np.asarray(x, dtype=float).")
