"""Numbers for two-bar grids: how near to real bars they are, how different from one another, and
how much is copied.

Grids are whole numbers 0..47 for C2 to B5 on eighth notes, (pairs, 16, 4), as in
`course_utils.gan.bar_gan`.
"""
from collections.abc import Sequence

import numpy as np

from course_utils.measuring import memorisation, musical_statistics
from course_utils.measuring.distances import total_variation
from course_utils.scores import STEPS_PER_QUARTER, Score, from_grid

C2, PITCHES = 36, 48  # C2 to B5: four octaves
SHARES = {name: musical_statistics.HISTOGRAMS[name]
          for name in ("chord types", "melodic intervals")}
RATES = {name: musical_statistics.STATISTICS[name]
         for name in ("dissonance", "voices crossed", "scale consistency", "note density",
                      "repeated steps")}
TURNS = (np.arange(12)[:, None] + np.arange(12)) % 12  # row k turns a histogram down by k semitones


def on_eighths(score: Score) -> Score:
    """Return a score with every sixteenth of its second half of an eighth note replaced by the
    first: no sixteenth notes.

    Example:
        >>> from course_utils import scores
        >>> from course_utils.gan import bar_measures
        >>> score = scores.from_grid([[60], [62], [64], [65]])
        >>> bar_measures.on_eighths(score).pitches[:, 0].tolist()
        [60, 60, 64, 64]
    """
    first = int(score.beat[0]) % 2
    pitches = np.repeat(score.pitches[first::2], 2, axis=0)[: len(score) - first]
    return from_grid(pitches, title=score.title)


def as_scores(grids: np.ndarray) -> list[Score]:
    """Turn grids (pairs, steps, 4) into scores on sixteenths, in which a note lasts until the pitch
    changes.
    """
    return [from_grid(np.repeat(grid.astype(int) + C2, 2, axis=0)) for grid in grids]


def diversity(grids: np.ndarray) -> float:
    """Return the share of notes in which two different grids differ, mean over all pairs of grids.

    Notebook: 10_gan_composes_bars

    About 0.9 for real bars, 0 for a generator that always makes the same ones.

    Args:
        grids: (pairs, steps, voices), at least two.

    Raises:
        ValueError: if there are fewer than two.

    Example:
        >>> import numpy as np
        >>> from course_utils.gan import bar_measures
        >>> bar_measures.diversity(np.zeros((5, 16, 4), int))  # always the same bars
        0.0
    """
    count = len(grids)
    if count < 2:
        raise ValueError("Diversity compares grids with one another: give at least two, not "
                         f"{count}.")
    notes = np.asarray(grids).reshape(count, -1)  # (grids, steps * voices)
    equal = np.stack([(notes == pitch).sum(axis=0) for pitch in np.unique(notes)]).astype(float)
    return float(1 - (equal * (equal - 1)).sum(axis=0).mean() / (count * (count - 1)))


def voice_histogram(grids: np.ndarray) -> np.ndarray:
    """Return how often each voice sings each pitch, (4, 48); each row adds up to 1."""
    # (4, grids * steps)
    voices = np.moveaxis(np.asarray(grids), -1, 0).reshape(grids.shape[-1], -1)
    return np.stack([np.bincount(voice, minlength=PITCHES) / voice.size for voice in voices])


def swing(before: np.ndarray, after: np.ndarray) -> float:
    """Return how much what a generator sings has changed: half the difference of `voice_histogram`,
    mean over the voices.

    Notebook: 10_gan_composes_bars

    0 for the same pitches as often, 1 for no pitch in common.

    Example:
        >>> import numpy as np
        >>> from course_utils.gan import bar_measures
        >>> low, high = np.zeros((2, 16, 4), int), np.full((2, 16, 4), 47)
        >>> bar_measures.swing(low, low), bar_measures.swing(low, high)
        (0.0, 1.0)
    """
    return float(total_variation(voice_histogram(after), voice_histogram(before)).mean())


def pitch_classes(scores: Sequence[Score], home: np.ndarray | None = None) -> np.ndarray:
    """Return the mean share of each pitch class, each score first turned to where it resembles
    `home` most.

    Args:
        scores: at least one.
        home: (12,), the shares to turn to; by default nothing is turned.
    """
    rows = np.stack([musical_statistics.pitch_class_histogram(score) for score in scores])
    if home is not None:
        best = (rows[:, TURNS] @ home).argmax(axis=1)
        rows = np.take_along_axis(rows, TURNS[best], axis=1)
    return rows.mean(axis=0)


def measure(grids: np.ndarray, real: np.ndarray) -> dict[str, float]:
    """Measure grids next to real ones.

    Notebook: 10_gan_composes_bars

    Args:
        grids: (pairs, 16, 4).
        real: held-out grids, (pairs, 16, 4). A finite set is never at distance 0, so compare sets
            of the same size.

    Returns:
        Distances of histograms from those of `real`, 0 to 1: "pitch classes", "chord types",
        "melodic intervals"; means of "dissonance", "voices crossed", "scale consistency", "note
        density" and "repeated steps" over the pairs; "diversity".

    Example:
        >>> import numpy as np
        >>> from course_utils.gan import bar_measures
        >>> grids = np.random.default_rng(0).integers(0, 48, (4, 16, 4))
        >>> bar_measures.measure(grids, grids)["chord types"]
        0.0
    """
    ours, theirs = as_scores(grids), as_scores(real)
    home = pitch_classes(theirs)
    found = {"pitch classes":
             float(total_variation(pitch_classes(ours, home), pitch_classes(theirs, home)))}
    for name, histogram in SHARES.items():
        means = [np.mean([histogram(score) for score in scores], axis=0)
                 for scores in (ours, theirs)]
        found[name] = float(total_variation(*means))
    found |= {name: float(np.mean([rate(score) for score in ours])) for name, rate in RATES.items()}
    return found | {"diversity": diversity(grids)}


def from_real(found: dict[str, float], real: dict[str, float]) -> dict[str, float]:
    """Return how far each number of `measure` lies from that of real bars; a distance stays as it
    is.
    """
    distances = {"pitch classes", *SHARES}
    names = (*sorted(distances), *RATES, "diversity")
    return {name: found[name] if name in distances else abs(found[name] - real[name])
            for name in names}


def nearer(found: dict[str, float], other: dict[str, float], real: dict[str, float]) -> list[str]:
    """Return which numbers of `measure` are nearer to those of real bars than another model's.

    Notebook: 10_gan_composes_bars

    Example:
        >>> from course_utils.gan import bar_measures
        >>> names = "pitch classes", *bar_measures.SHARES, *bar_measures.RATES, "diversity"
        >>> real = dict.fromkeys(names, 0.5)
        >>> bar_measures.nearer(real | {"diversity": 0.4}, real | {"diversity": 0.1}, real)
        ['diversity']
    """
    ours, theirs = from_real(found, real), from_real(other, real)
    return sorted(name for name in ours if ours[name] < theirs[name])


def copied(grids: np.ndarray, training: Sequence[Score], quarters: int = 4) -> float:
    """Return the share of grids that hold a passage of the training pieces, note by note in any
    transposition.

    Notebook: 10_gan_composes_bars

    Compare with the share in held-out music: there, it is not copied.

    Args:
        grids: (pairs, 16, 4).
        training: the training pieces, as `on_eighths` returns them.
        quarters: length of the passage in quarter notes, all four voices.

    Example:
        >>> import numpy as np
        >>> from course_utils.gan import bar_measures
        >>> grids = np.random.default_rng(0).integers(0, 48, (4, 16, 4))
        >>> bar_measures.copied(grids, bar_measures.as_scores(grids[:1]))
        0.25
    """
    longest = memorisation.longest_copies(as_scores(grids), training)
    return float((longest >= quarters * STEPS_PER_QUARTER).mean())


def random_bars(count: int, like: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw every note evenly from its voice's range in `like`, (count, 16, 4): the baseline that
    knows nothing.

    Example:
        >>> import numpy as np
        >>> from course_utils.gan import bar_measures
        >>> bars = bar_measures.random_bars(3, np.full((1, 16, 4), 20), np.random.default_rng(0))
        >>> bars.shape, int(bars.min()), int(bars.max())
        ((3, 16, 4), 20, 20)
    """
    low, high = like.min(axis=(0, 1)), like.max(axis=(0, 1))
    return rng.integers(low, high + 1, (count, *like.shape[1:])).astype(np.int8)
