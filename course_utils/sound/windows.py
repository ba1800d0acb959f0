"""From one long sound to a data set: windows of fixed length, and splits that keep whole pieces or
instruments apart.
"""
from collections.abc import Sequence

import numpy as np

from course_utils.checks import waveform

FRAME_LENGTH = 1024


def frame(y: np.ndarray, frame_length: int = FRAME_LENGTH,
          hop_length: int | None = None) -> np.ndarray:
    """Cut a waveform into windows that cover every sample; the last one is padded with zeros.

    Notebook: 02_preparing_audio

    Args:
        y: (samples,).
        frame_length: samples in a window.
        hop_length: samples from one window's start to the next one's; None for windows that do not
            overlap.

    Returns:
        float32 (frames, frame_length), at least one frame.

    Raises:
        ValueError: if y has several channels, or the hop is longer than the window (samples would
            be skipped).

    Example:
        >>> from course_utils.sound import windows
        >>> windows.frame([0.1, 0.2, 0.3, 0.4, 0.5], 2).round(1).shape
        (3, 2)
    """
    y, hop_length = waveform(y, mono=True), _check_hop(frame_length, hop_length)
    frames = 1 + max(0, -(-(len(y) - frame_length) // hop_length))
    padded = np.pad(y, (0, (frames - 1) * hop_length + frame_length - len(y)))
    return np.lib.stride_tricks.sliding_window_view(padded, frame_length)[::hop_length].copy()


def _check_hop(frame_length: int, hop_length: int | None) -> int:
    hop_length = frame_length if hop_length is None else hop_length
    whole = all(isinstance(size, (int, np.integer)) and not isinstance(size, bool)
                for size in (frame_length, hop_length))
    if not whole or not 1 <= hop_length <= frame_length <= 2**24:
        raise ValueError(f"frame_length={frame_length!r} and hop_length={hop_length!r} are numbers "
                         "of samples, whole and at least 1, and the hop is no longer than the "
                         "frame.")
    return int(hop_length)


def overlap_add(frames: np.ndarray, hop_length: int | None = None,
                length: int | None = None) -> np.ndarray:
    """Join windows into one waveform, fading from each to the next where they overlap: the inverse
    of `frame`.

    Every sample is the mean of the windows over it, weighted by a triangle.

    Args:
        frames: (frames, frame_length).
        hop_length: samples from one window's start to the next one's; None for windows that do not
            overlap.
        length: samples to keep, to drop the padding; None for all.

    Returns:
        float32 (samples,).

    Raises:
        ValueError: if the frames are not a finite matrix, or the hop or the length do not fit them.
    """
    frames = np.asarray(frames)
    if frames.ndim != 2:
        raise ValueError("overlap_add takes windows of shape (frames, frame_length), not "
                         f"{frames.shape}.")
    shape, hop_length = frames.shape, _check_hop(frames.shape[1], hop_length)
    frames = waveform(frames.reshape(-1)).reshape(shape)  # (frames * frame_length,) and back
    weight = 1 - np.abs(np.arange(1, 2 * shape[1], 2) / shape[1] - 1) + 1 / shape[1]
    total = np.zeros((shape[0] - 1) * hop_length + shape[1])
    weights = np.zeros_like(total)
    for start, row in zip(range(0, len(total), hop_length), frames, strict=False):
        total[start:start + shape[1]] += weight * row
        weights[start:start + shape[1]] += weight
    if length is not None and not 1 <= length <= len(total):
        raise ValueError(f"length={length} does not fit: these windows make {len(total)} samples.")
    return (total / weights)[:length].astype(np.float32)


def split_by_group(groups: Sequence, fractions: tuple[float, float, float] = (0.8, 0.1, 0.1),
                   seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Split examples into training, validation and test set, never dividing a group.

    Notebook: 02_preparing_audio

    A group is what must not leak: all windows of one recording, all notes of one instrument. Large
    groups are placed first, each where most is missing, so that the parts come as near to the
    fractions as whole groups allow.

    Args:
        groups: the name or number of each example's group, (examples,).
        fractions: of training, validation and test examples; their sum is 1.
        seed: of the shuffling; the same seed gives the same split.

    Returns:
        Three int arrays of indices, sorted; none is empty unless its fraction is 0.

    Raises:
        ValueError: if there are fewer groups than parts, or the fractions do not add up to 1.

    Example:
        >>> import numpy as np
        >>> from course_utils.sound import windows
        >>> pieces = np.repeat(["a", "b", "c", "d"], 5)
        >>> train, valid, test = windows.split_by_group(pieces, (0.5, 0.25, 0.25))
        >>> len(train), len(valid), len(test), set(pieces[train]) & set(pieces[test])
        (10, 5, 5, set())
    """
    target = _check_fractions(fractions)
    group_of, sizes = _number(groups)
    if len(sizes) < (target > 0).sum():
        raise ValueError(f"{len(sizes)} group(s) cannot fill {(target > 0).sum()} parts without "
                         "dividing one. Collect more pieces or instruments, or set a fraction to "
                         "0.")
    shuffled = np.random.default_rng(seed).permutation(len(sizes))
    order = shuffled[np.argsort(-sizes[shuffled], kind="stable")]
    part_of = np.empty(len(sizes), int)
    filled = np.zeros(3)
    for rank, group in enumerate(order):
        missing = np.where(target > 0, target * len(group_of) - filled, -np.inf)
        empty = (target > 0) & (filled == 0)
        if len(order) - rank <= empty.sum():
            missing = np.where(empty, missing, -np.inf)
        part_of[group] = missing.argmax()
        filled[part_of[group]] += sizes[group]
    train, valid, test = (np.flatnonzero(part_of[group_of] == part) for part in range(3))
    return train, valid, test


def _check_fractions(fractions) -> np.ndarray:
    try:
        target = np.asarray(fractions, float)
    except (TypeError, ValueError):
        target = np.empty(0)
    if target.shape != (3,) or not (target >= 0).all() or abs(target.sum() - 1) > 1e-6:
        raise ValueError("fractions are three numbers from 0 to 1 that add up to 1, such as (0.8, "
                         f"0.1, 0.1), not {fractions!r}.")
    return target


def _number(groups) -> tuple[np.ndarray, np.ndarray]:
    try:
        groups = np.asarray(groups)
        _, group_of, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "groups are names or numbers, all of one type, one per example.") from error
    if groups.ndim != 1 or not groups.size:
        raise ValueError("groups has one name or number per example, shape (examples,), not "
                         f"{groups.shape}.")
    return group_of, sizes
