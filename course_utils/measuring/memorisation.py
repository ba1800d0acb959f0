"""Is it new, or learnt by heart? Passages that a piece shares with the training pieces, in any
transposition.
"""
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from course_utils.scores import REST, STEPS_PER_QUARTER, Score

BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, with well-mixed bits: products wrap around at 2**64


class Copy(NamedTuple):
    """A passage and where it was found: its share of equal notes, the other piece's number, first
    step, and transposition.
    """
    agreement: float
    piece: int
    start: int
    semitones: int


class Steps(NamedTuple):
    """All steps of several pieces in a row, as numbers that no transposition changes, each (steps,)
    uint64.

    Attributes:
        shape: the chord, seen from its lowest note.
        event: the chord and how far its lowest note is from that of the step before.
        piece: number of the piece, int.
    """
    shape: np.ndarray
    event: np.ndarray
    piece: np.ndarray


def read_steps(pieces: Sequence[Score]) -> Steps:
    """Turn the pitches of pieces into numbers that stay the same when a piece is transposed.

    Notebook: 12_measuring_music
    """
    parts = []
    for number, piece in enumerate(pieces):
        pitches = piece.pitches.astype(np.int64)
        sounding = pitches != REST
        lowest = np.where(sounding, pitches, 1000).min(axis=1)
        shape = _mix(np.where(sounding, pitches - lowest[:, None], 200).astype(np.uint64))
        move = np.diff(lowest, prepend=lowest[:1]).astype(np.uint64)
        parts.append((shape, _mix(np.stack([shape, move], axis=1)), np.full(len(piece), number)))
    return Steps(*map(np.concatenate, zip(*parts)))


def _mix(columns: np.ndarray) -> np.ndarray:
    """Hash each row of uint64 (n, columns) to one uint64."""
    mixed = np.zeros(len(columns), np.uint64)
    for column in columns.T:
        mixed = (mixed ^ column) * BASE
        mixed ^= mixed >> np.uint64(29)
    return mixed


def copied_lengths(pieces: Sequence[Score], known: Sequence[Score]) -> list[np.ndarray]:
    """Find how long a passage from each step on occurs in known pieces, too, in any transposition.

    Notebook: 12_measuring_music

    A rolling hash (Karp and Rabin 1987) over the chords and the moves between them; the move into
    the first one is left out.

    Args:
        pieces: scores to be judged.
        known: the training pieces, with the same number of voices.

    Returns:
        int (steps,) of each piece: how many steps from there on are found elsewhere in one go, all
        voices, 0 if none.

    Example:
        >>> from course_utils import scores
        >>> from course_utils.measuring import memorisation
        >>> piece = scores.from_grid([[60], [62], [64], [65], [67]])
        >>> memorisation.copied_lengths([scores.transpose(piece, 5)], [piece])[0].tolist()
        [5, 4, 3, 2, 1]
    """
    ours, theirs = read_steps(pieces), read_steps(known)
    found = np.zeros(len(ours.piece), int)
    here, there, length = np.arange(len(ours.piece)), np.arange(len(theirs.piece)), 1
    mine, other = ours.shape, theirs.shape
    while len(here):
        same = np.isin(mine, other)
        here, mine = here[same], mine[same]
        found[here] = length
        keep = np.isin(other, mine)
        there, other = there[keep], other[keep]
        here, mine = _longer(ours, here, mine, length)
        there, other = _longer(theirs, there, other, length)
        length += 1
    return np.split(found, np.cumsum([len(piece) for piece in pieces])[:-1])


def _longer(steps: Steps, starts: np.ndarray, number: np.ndarray,
            length: int) -> tuple[np.ndarray, np.ndarray]:
    """Make passages one step longer, where their piece goes on."""
    inside = starts + length < len(steps.piece)
    starts, number = starts[inside], number[inside]
    inside = steps.piece[starts] == steps.piece[starts + length]
    starts, number = starts[inside], number[inside]
    return starts, number * BASE + steps.event[starts + length]


def longest_copies(pieces: Sequence[Score], known: Sequence[Score]) -> np.ndarray:
    """Return the length of the longest passage of each piece that occurs in known pieces, in steps,
    int (pieces,).

    Notebook: 12_measuring_music

    Standing still counts: compare with what music by other people, or held-out pieces, reach.

    Example:
        >>> from course_utils import scores
        >>> from course_utils.measuring import memorisation
        >>> piece = scores.from_grid([[60], [62], [64], [65], [67]])
        >>> memorisation.longest_copies([scores.transpose(piece, 5)], [piece]).tolist()
        [5]
    """
    return np.array([lengths.max(initial=0) for lengths in copied_lengths(pieces, known)])


def memorised_rate(pieces: Sequence[Score], known: Sequence[Score], held_out: Sequence[Score],
                   quantile: float = 0.95) -> float:
    """Return how many pieces copy more than held-out music does.

    Notebook: 12_measuring_music

    Chorales share cadences, and two may share a tune: some copying is style. The limit is what all
    but a twentieth of the held-out pieces, which cannot be copies, stay within.

    Args:
        pieces: scores to be judged.
        known: the training pieces.
        held_out: pieces of the same kind and length that no training has seen.
        quantile: of the held-out pieces' longest copies.

    Returns:
        The share of pieces whose longest copy is longer, 0 to 1; about 0.05 for more music of the
        held-out kind.

    Example:
        >>> from course_utils import scores
        >>> from course_utils.measuring import memorisation
        >>> known, other = (scores.from_grid([[60], [last]] * 8) for last in (62, 65))
        >>> memorisation.memorised_rate([known, other], known=[known], held_out=[other])
        0.5
    """
    limit = np.quantile(longest_copies(held_out, known), quantile)
    return float((longest_copies(pieces, known) > limit).mean())


def nearest_passage(passage: np.ndarray, known: Sequence[Score],
                    hop: int = STEPS_PER_QUARTER) -> Copy:
    """Find the passage of known pieces that shares most notes with a given one, in any
    transposition.

    Notebook: 12_measuring_music

    Args:
        passage: (steps, voices), MIDI pitches, -1 for a rest.
        known: the training pieces, with the same number of voices.
        hop: steps from one place that is compared to the next.

    Returns:
        A `Copy`: share of notes (and rests) that agree, which piece, where, and how many semitones
        the passage is above it.

    Raises:
        ValueError: if no known piece is as long.

    Example:
        >>> from course_utils import scores
        >>> from course_utils.measuring import memorisation
        >>> piece = scores.from_grid([[60], [62], [64], [65], [67], [65], [64], [62]])
        >>> memorisation.nearest_passage(piece.pitches[4:] + 2, [piece])
        Copy(agreement=1.0, piece=0, start=4, semitones=2)
    """
    passage, best = np.asarray(passage).astype(np.int16), None
    for number, piece in enumerate(known):
        if len(piece) < len(passage):
            continue
        places = np.lib.stride_tricks.sliding_window_view(piece.pitches, len(passage),
                                                          axis=0)[::hop].transpose(0, 2, 1)
        rests = ((places == REST) & (passage == REST)).sum(axis=(1, 2))
        # A note and a rest differ by more than any transposition.
        apart = np.where(passage == REST, 1000, passage) - np.where(places == REST, -1000, places)
        counts = (np.stack([(apart == semitones).sum(axis=(1, 2)) for semitones in range(-12, 13)])
                  + rests)
        semitones, place = np.unravel_index(counts.argmax(), counts.shape)
        copy = Copy(float(counts.max()) / passage.size, number, int(place) * hop,
                    int(semitones) - 12)
        best = copy if best is None or copy.agreement > best.agreement else best
    if best is None:
        raise ValueError(f"No known piece has {len(passage)} steps. Give longer pieces, or a "
                         "shorter passage.")
    return best
