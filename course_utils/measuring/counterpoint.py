"""Rules that Bach's chorales keep, as numbers: parallels, crossings, ranges, dissonance, endings,
repetition.
"""
import itertools
from collections.abc import Sequence

import numpy as np

from course_utils.measuring.bootstrap import mean_and_interval
from course_utils.scores import REST, STEPS_PER_QUARTER, Score

FIFTH, OCTAVE = 7, 0
DISSONANT = (1, 2, 6, 10, 11)  # seconds, tritone, sevenths, in semitones within an octave
RANGES = ((60, 81), (53, 76), (47, 69), (36, 64))  # what a choir sings: C4-A5, F3-E5, B2-A4, C2-E4
BAR = 16  # sixteenths; rates "a bar" count so many steps in any time signature
# a last chord may lack its third or fifth
TRIADS = ({0, 4, 7}, {0, 3, 7}, {0, 4}, {0, 3}, {0, 7}, {0})


def parallels(score: Score, size: int) -> list[tuple[int, int, int]]:
    """Find parallel fifths or octaves.

    Notebook: 08_lstm_composes_chorales

    Two voices are parallel at a step if they form the interval there and one step earlier, give or
    take octaves, and both move between, in the same direction. What leads from one phrase to the
    next (away from a fermata) does not count.

    Args:
        score: music of several voices.
        size: semitones, 7 for fifths; 0 for octaves and unisons.

    Returns:
        (step, upper voice, lower voice) of each, in the order of time.

    Example:
        >>> from course_utils import scores
        >>> from course_utils.measuring import counterpoint
        >>> score = scores.from_grid([[67, 60], [69, 62]])  # G over C, then A over D
        >>> counterpoint.parallels(score, counterpoint.FIFTH)
        [(1, 0, 1)]
    """
    before, now = score.pitches[:-1].astype(int), score.pitches[1:].astype(int)
    within = ~(score.fermata[:-1] & ~score.fermata[1:])
    found = []
    for upper, lower in itertools.combinations(range(score.pitches.shape[1]), 2):
        pair = [upper, lower]
        sounding = ((before[:, pair] != REST) & (now[:, pair] != REST)).all(axis=1)
        moves = now[:, pair] - before[:, pair]
        same_interval = [(p[:, upper] - p[:, lower]) % 12 == size for p in (before, now)]
        steps = np.flatnonzero(sounding & within & (moves.prod(axis=1) > 0) & same_interval[0]
                               & same_interval[1])
        found += [(int(step) + 1, upper, lower) for step in steps]
    return sorted(found)


def parallels_a_bar(score: Score) -> float:
    """Return how many parallel fifths and octaves a bar of 16 steps holds on average."""
    return sum(len(parallels(score, size)) for size in (FIFTH, OCTAVE)) / (len(score) / BAR)


def crossing_rate(score: Score) -> float:
    """Return how often a voice sings above its upper neighbour: the share of neighbouring pairs,
    over all steps.
    """
    upper, lower = score.pitches[:, :-1], score.pitches[:, 1:]
    both = (upper != REST) & (lower != REST)
    return _share(upper < lower, both)


def out_of_range_rate(score: Score) -> float:
    """Return the share of sounding voices, over all steps of a four-part score, that a choir could
    not sing (`RANGES`).
    """
    low, high = np.array(RANGES).T
    return _share((score.pitches < low) | (score.pitches > high), score.pitches != REST)


def dissonance_rate(score: Score) -> float:
    """Return the share of steps at which any two voices form a second, a seventh or a tritone (give
    or take octaves).
    """
    dissonant = np.zeros(len(score), bool)
    for upper, lower in itertools.combinations(score.pitches.T.astype(int), 2):
        dissonant |= ((upper != REST) & (lower != REST)
                      & np.isin(np.abs(upper - lower) % 12, DISSONANT))
    return _share(dissonant, (score.pitches != REST).any(axis=1))


def repetition_rate(score: Score, steps: int = BAR) -> float:
    """Return how much of a piece has been heard before: the share of steps that end a repeated
    passage.

    Args:
        score: the music.
        steps: length of the passage; all voices have to agree in all of it with an earlier one.
            Standing still is repetition.

    Returns:
        0 to 1; 0 for a piece no longer than the passage.
    """
    seen, repeated = set(), []
    for end in range(steps, len(score) + 1):
        passage = score.pitches[end - steps : end].tobytes()
        repeated.append(passage in seen)
        seen.add(passage)
    return float(np.mean(repeated[1:])) if len(repeated) > 1 else 0.0


def moves_per_quarter(score: Score) -> float:
    """Return how often a voice changes its pitch, mean over the voices, in moves a quarter note."""
    moved = score.pitches[1:] != score.pitches[:-1]
    return float(moved.sum() / score.pitches.shape[1] / len(score) * STEPS_PER_QUARTER)


def longest_standstill(score: Score) -> float:
    """Return for how long, in quarter notes, no voice changes its pitch at most."""
    moved = np.flatnonzero((score.pitches[1:] != score.pitches[:-1]).any(axis=1)) + 1
    return float(np.diff([0, *moved.tolist(), len(score)]).max() / STEPS_PER_QUARTER)


def largest_leap(score: Score) -> int:
    """Return the largest step from note to note of any voice, in semitones; over a rest nothing
    counts.
    """
    before, now = score.pitches[:-1].astype(int), score.pitches[1:].astype(int)
    return int(np.where((before == REST) | (now == REST), 0, np.abs(now - before)).max(initial=0))


def ends_with_cadence(score: Score) -> bool:
    """Tell whether the bass falls a fifth (or rises a fourth) into a last chord that is a triad in
    root position.

    Such an authentic cadence closes most of Bach's chorales; the key need not be known.
    """
    bass, chord = (score.pitches[:, -1].astype(int),
                   score.pitches[-1][score.pitches[-1] != REST].astype(int))
    moved = np.flatnonzero(bass != bass[-1])
    if not moved.size or bass[-1] == REST or bass[moved[-1]] == REST:
        return False
    lowest = chord.min() == bass[-1]
    return bool(lowest and (bass[moved[-1]] - bass[-1]) % 12 == FIFTH
                and set(((chord - bass[-1]) % 12).tolist()) in TRIADS)


def measure(score: Score) -> dict[str, float]:
    """Measure a four-part score by all rules.

    Notebook: 08_lstm_composes_chorales

    Args:
        score: music of four voices; a cadence is looked for at its end.

    Returns:
        Each rule's name and number: rates from 0 to 1, or as the name says.

    Raises:
        ValueError: if the score has not four voices.
    """
    if score.pitches.shape[1] != 4:
        raise ValueError(f"The score has {score.pitches.shape[1]} voices, but these rules are for "
                         "four.")
    bars = len(score) / BAR
    return {
        "parallel fifths a bar": len(parallels(score, FIFTH)) / bars,
        "parallel octaves a bar": len(parallels(score, OCTAVE)) / bars,
        "voices crossed": crossing_rate(score),
        "out of range": out_of_range_rate(score),
        "dissonance": dissonance_rate(score),
        "repetition": repetition_rate(score),
        "moves a quarter": moves_per_quarter(score),
        "longest standstill, quarters": longest_standstill(score),
        "largest leap, semitones": float(largest_leap(score)),
        "cadence at the end": float(ends_with_cadence(score)),
    }


def rates(pieces: Sequence[Score]) -> dict[str, tuple[float, float, float]]:
    """Measure many four-part scores.

    Notebook: 08_lstm_composes_chorales

    Args:
        pieces: at least one score.

    Returns:
        For each rule, the mean over the pieces and the two ends of its 95 % interval.

    Raises:
        ValueError: if there is no piece, or one has not four voices.

    Example:
        >>> from course_utils import scores
        >>> from course_utils.measuring import counterpoint
        >>> piece = scores.from_grid([[72, 67, 64, 48]] * 8 + [[74, 69, 65, 50]] * 8)
        >>> counterpoint.rates([piece])["largest leap, semitones"]
        (2.0, 2.0, 2.0)
    """
    if not pieces:
        raise ValueError("There is nothing to measure. Give a list of at least one score.")
    measured = [measure(piece) for piece in pieces]
    columns = {name: np.array([m[name] for m in measured]) for name in measured[0]}
    return {name: mean_and_interval(x) for name, x in columns.items()}


def _share(hits: np.ndarray, of: np.ndarray) -> float:
    return float((hits & of).sum() / max(1, of.sum()))
