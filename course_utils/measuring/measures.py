"""Measures of a set of four-part pieces against a set of Bach's: each one number with a 95 %
interval, all in one dict.
"""
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from course_utils.measuring import counterpoint, distances, memorisation, musical_statistics
from course_utils.measuring.bootstrap import mean_and_interval
from course_utils.scores import STEPS_PER_QUARTER, Score, bars, excerpt

STEPS = 128  # eight bars
SHORTEST = 32
DRAWS = 200
Measured = tuple[float, float, float]


class Described(NamedTuple):
    """What the measures need to know of a set of pieces, one row a piece.

    Notebook: 12_measuring_music

    Attributes:
        statistics: (pieces, 12), `musical_statistics.STATISTICS`, in units of the reference's mean
            and spread.
        chords, intervals, durations: (pieces, ...), `musical_statistics.HISTOGRAMS`.
        classes: (pieces, 12), pitch-class histograms.
        grid: (pieces, steps * voices), the pitches themselves.
        parallels: (pieces,), parallel fifths and octaves a bar.
        copied: (pieces,), the longest passage found in training Bach, in quarter notes.
    """
    statistics: np.ndarray
    chords: np.ndarray
    intervals: np.ndarray
    durations: np.ndarray
    classes: np.ndarray
    grid: np.ndarray
    parallels: np.ndarray
    copied: np.ndarray


def excerpts(pieces: Sequence[Score], steps: int = STEPS) -> list[Score]:
    """Cut all pieces to the same length, from the first whole bar on where they are long enough;
    leave out shorter ones.

    Example:
        >>> from course_utils import scores
        >>> from course_utils.measuring import measures
        >>> pieces = [scores.from_grid([[60]] * steps, pickup=4) for steps in (16, 64)]
        >>> [(len(piece), int(piece.beat[0])) for piece in measures.excerpts(pieces, 32)]
        [(32, 0)]
    """
    cut = []
    for piece in pieces:
        begins = [a for a, _ in bars(piece)[:2] if piece.beat[a] == 0 and a + steps <= len(piece)]
        if len(piece) >= steps:
            first = begins[0] if begins else 0
            cut.append(excerpt(piece, first, first + steps))
    return cut


def describe(pieces: Sequence[Score], known: Sequence[Score],
             unit: np.ndarray | None = None) -> Described:
    """Measure all that the measures need, once for a set.

    Notebook: 12_measuring_music

    Args:
        pieces: scores of four voices and equal length.
        known: the training pieces, in which copies are sought.
        unit: `musical_statistics.table` of the reference, whose mean and spread are the unit; None
            to keep the numbers plain.

    Raises:
        ValueError: if there is no piece, one has not four voices, or the lengths differ.

    Example:
        >>> from course_utils import scores
        >>> from course_utils.measuring import measures
        >>> piece = scores.from_grid([[72, 67, 64, 48]] * 16)
        >>> measures.describe([piece, piece], known=[piece]).copied.tolist()  # in quarter notes
        [4.0, 4.0]
    """
    if len(pieces) < 2 or {(len(p), p.pitches.shape[1]) for p in pieces} != {(len(pieces[0]), 4)}:
        raise ValueError("A set to be measured holds at least two pieces of four voices and equal "
                         "length. `measures.excerpts` cuts longer ones.")
    statistics = musical_statistics.table(pieces)
    histograms = [np.array([function(piece) for piece in pieces])
                  for function in musical_statistics.HISTOGRAMS.values()]
    classes = np.array([musical_statistics.pitch_class_histogram(piece) for piece in pieces])
    parallel = np.array([counterpoint.parallels_a_bar(piece) for piece in pieces])
    copied = memorisation.longest_copies(pieces, known) / STEPS_PER_QUARTER
    return Described(statistics if unit is None else distances.standardize(unit, statistics)[1],
                     *histograms, classes, np.array([p.pitches.ravel() for p in pieces], float),
                     parallel, copied)


def _resampled(distance: Callable, x: np.ndarray, y: np.ndarray,
               value: float | None = None) -> Measured:
    value = float(distance(x, y)) if value is None else value
    return value, *distances.centred_interval(value, distance(x, distances.resamples(y, DRAWS)))


def frechet(x: np.ndarray, y: np.ndarray) -> Measured:
    """Return the Fréchet distance of points (n, features) and (m, features), with its interval."""
    return _resampled(distances.frechet_distance, x, y)


def frechet_extrapolated(x: np.ndarray, y: np.ndarray) -> Measured:
    """Return the Fréchet distance, extrapolated to infinitely many points; the interval is as wide
    as the plain one's.
    """
    return _resampled(distances.frechet_distance, x, y, distances.frechet_infinity(x, y))


def mmd(x: np.ndarray, y: np.ndarray) -> Measured:
    """Return the maximum mean discrepancy, squared, with its interval."""
    return _resampled(distances.mmd, x, y)


def _neighbours(function: Callable, which: int,
                most: float = 1.0) -> Callable[[np.ndarray, np.ndarray], Measured]:
    def measure_share(x: np.ndarray, y: np.ndarray) -> Measured:
        value, low, high = _resampled(lambda a, b: function(a, b)[which], x, y)
        return value, max(low, 0.0), min(high, most)

    return measure_share


# Measures of points in any feature space, whether statistics of scores or embeddings of sound: (n,
# features), (m, features).
OF_POINTS: dict[str, Callable[[np.ndarray, np.ndarray], Measured]] = {
    "Fréchet distance": frechet,
    "Fréchet, extrapolated": frechet_extrapolated,
    "kernel MMD": mmd,
    "precision": _neighbours(distances.precision_recall, 0),
    "recall": _neighbours(distances.precision_recall, 1),
    "density": _neighbours(distances.density_coverage, 0, most=np.inf),
    "coverage": _neighbours(distances.density_coverage, 1),
}


def _of_statistics(function: Callable[[np.ndarray, np.ndarray], Measured]) -> Callable[
    [Described, Described], Measured]:
    return lambda x, y: function(x.statistics, y.statistics)


def _variation(name: str) -> Callable[[Described, Described], Measured]:
    """Return how to measure the total variation distance of two sets' mean histograms."""
    def distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return distances.total_variation(a.mean(axis=-2), b.mean(axis=-2))

    return lambda x, y: _resampled(distance, getattr(x, name), getattr(y, name))


def _mean_statistic(name: str) -> Callable[[Described, Described], Measured]:
    column = list(musical_statistics.STATISTICS).index(name)
    return lambda x, y: mean_and_interval(y.statistics[:, column])


def overlap(x: Described, y: Described) -> Measured:
    """Overlap area of distances within the reference and distances to it, mean over the statistics:
    Yang and Lerch (2018).
    """
    pieces = np.random.default_rng(0).integers(len(y.statistics), size=(DRAWS, len(y.statistics)))
    areas, replicates = [], []
    for a, b in zip(x.statistics[: 2 * len(y.statistics)].T, y.statistics.T):
        within, between = distances.intra_distances(a[:, None]), np.abs(a[:, None] - b)
        places, p, _ = distances.densities(within, between.ravel())
        width = distances.scott(between)
        each = np.array([distances.density(column, places, width) for column in between.T])
        q = np.vstack([each.mean(axis=0), np.array([each[drawn].mean(axis=0) for drawn in pieces])])
        shared = np.trapezoid(np.minimum(p, q), places, axis=1)
        areas.append(shared[0])
        replicates.append(shared[1:])
    value = float(np.mean(areas))
    return value, *distances.centred_interval(value, np.mean(replicates, axis=0))


def classifier(x: Described, y: Described) -> Measured:
    """Accuracy of a logistic regression that tells the two sets apart, cross-validated: 0.5 is a
    coin, 1 a giveaway.

    Notebook: 12_measuring_music

    The classifier two-sample test of Lopez-Paz and Oquab (2017).
    """
    points = [np.hstack([s.statistics, *map(np.sqrt, (s.chords, s.intervals, s.durations))])
              for s in (x, y)]
    return mean_and_interval(told_apart(*points))


def told_apart(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return for as many points of each set whether a classifier that did not learn from them puts
    them right.

    The points are dealt in ten parts; each is judged by a classifier trained on the others.

    Args:
        x, y: (n, features) and (m, features).

    Returns:
        float64 (2 * min(n, m),), 1 where it is right; first those of `x`, drawn at random where
        there are more.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rng, count = np.random.default_rng(0), min(len(x), len(y))
    points = np.concatenate([s[np.sort(rng.permutation(len(s))[:count])] for s in (x, y)])
    label = np.repeat([0, 1], count)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.03, max_iter=1000))
    dealt = StratifiedKFold(10, shuffle=True, random_state=0)
    return (cross_val_predict(model, points, label, cv=dealt) == label).astype(float)


def squared_error(x: Described, y: Described) -> Measured:
    """Mean squared difference of pitches, step by step, to all pieces of the reference, in
    semitones squared.
    """
    center = x.grid.mean(axis=0)
    return mean_and_interval(((y.grid - center) ** 2).mean(axis=1)
                             + ((x.grid - center) ** 2).mean())


# Name: how to measure a set (reference, judged). What is best is what other pieces by Bach reach,
# not 0 or 1.
MEASURES: dict[str, Callable[[Described, Described], Measured]] = {
    "squared error": squared_error,
    "pitch classes": _variation("classes"),
    "chord types": _variation("chords"),
    "melodic intervals": _variation("intervals"),
    "durations": _variation("durations"),
    "pitch-class entropy": _mean_statistic("pitch-class entropy"),
    "scale consistency": _mean_statistic("scale consistency"),
    "groove consistency": _mean_statistic("groove consistency"),
    "dissonance": _mean_statistic("dissonance"),
    "parallels a bar": lambda x, y: mean_and_interval(y.parallels),
    "overlap of distances": overlap,
    **{name: _of_statistics(function) for name, function in OF_POINTS.items()},
    "classifier accuracy": classifier,
    "longest copy, quarters": lambda x, y: mean_and_interval(y.copied),
}


def measure(x: Described, y: Described) -> dict[str, Measured]:
    """Apply all `MEASURES` to a set: name to (value, lower end, upper end).

    Notebook: 12_measuring_music

    Args:
        x: the reference, `describe` of Bach's pieces.
        y: the set that is judged.
    """
    return {name: function(x, y) for name, function in MEASURES.items()}
