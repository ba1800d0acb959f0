"""Judge the measures before they judge the models: calibration, which measures may be trusted, and
ranks with ties.
"""
from collections.abc import Mapping, Sequence

import numpy as np

from course_utils import environment, scores
from course_utils.measuring import distances, measures
from course_utils.measuring.measures import Described, Measured
from course_utils.outside import archives
from course_utils.scores import HIGHEST, LOWEST, REST, STEPS_PER_QUARTER, Score

SAMPLES, TABLE = "verdict_samples.npz", "verdict.json"


def shuffle_quarters(score: Score, rng: np.random.Generator) -> Score:
    """Put the quarter notes of a piece in a random order: every chord stays, all sense of direction
    goes.

    Example:
        >>> import numpy as np
        >>> from course_utils import scores
        >>> from course_utils.measuring import judging
        >>> score = scores.from_grid([[72, 67, 64, 48]] * 4 + [[74, 69, 65, 50]] * 4)
        >>> np.unique(judging.shuffle_quarters(score, np.random.default_rng(0)).pitches).tolist()
        [48, 50, 64, 65, 67, 69, 72, 74]
    """
    quarters = len(score) // STEPS_PER_QUARTER
    steps = np.arange(quarters * STEPS_PER_QUARTER).reshape(quarters, -1)  # (quarters, 4)
    steps = steps[rng.permutation(quarters)].ravel()
    pitches, onsets = score.pitches[steps], score.onsets[steps]
    return scores.from_grid(pitches, onsets | scores.changes(pitches), title=score.title)


def transpose_somewhere(score: Score, rng: np.random.Generator) -> Score:
    """Transpose a piece at random by up to half an octave, inside of what the networks know.

    Example:
        >>> import numpy as np
        >>> from course_utils import scores
        >>> from course_utils.measuring import judging
        >>> score = scores.from_grid([[60], [67]])
        >>> int(np.ptp(judging.transpose_somewhere(score, np.random.default_rng(0)).pitches))
        7
    """
    sounding = score.pitches[score.pitches != REST].astype(int)
    low, high = max(-5, LOWEST - sounding.min()), min(6, HIGHEST - sounding.max())
    return scores.transpose(score, int(rng.integers(low, high + 1)))


def noise(score: Score, rng: np.random.Generator) -> Score:
    """Replace every sixteenth of every voice by a random pitch of the networks' range.

    Example:
        >>> import numpy as np
        >>> from course_utils import scores
        >>> from course_utils.measuring import judging
        >>> score = scores.from_grid([[72, 67, 64, 48]] * 64)
        >>> len(np.unique(judging.noise(score, np.random.default_rng(0)).pitches)) > 40
        True
    """
    return scores.from_grid(rng.integers(LOWEST, HIGHEST + 1, score.pitches.shape))


def calibration_sets(bach: Sequence[Score], markov: Sequence[Score],
                     seed: int = 0) -> dict[str, list[Score]]:
    """Make sets whose order is known before any measure speaks.

    Notebook: 12_measuring_music

    Args:
        bach: pieces that are not in the reference, of equal length.
        markov: as many pieces of a model that only counts, of the same length.
        seed: of what is random.

    Returns:
        Name to pieces: other Bach; half of it; all of it transposed; and what must be worse:
        Markov, shuffled, noise.

    Example:
        >>> from course_utils import scores
        >>> from course_utils.measuring import judging
        >>> pieces = [scores.from_grid([[72, 67, 64, 48]] * 16)] * 2
        >>> list(judging.calibration_sets(pieces, pieces))
        ['other Bach', 'half as many', 'transposed', 'Markov', 'shuffled', 'noise']
    """
    rng = np.random.default_rng(seed)
    return {"other Bach": list(bach), "half as many": list(bach)[::2],
            "transposed": [transpose_somewhere(s, rng) for s in bach], "Markov": list(markov),
            "shuffled": [shuffle_quarters(s, rng) for s in bach],
            "noise": [noise(s, rng) for s in bach]}


def calibrate(reference: Described,
              sets: Mapping[str, Described]) -> dict[str, dict[str, Measured]]:
    """Apply every measure to every calibration set: measure to set to (value, low, high).

    Notebook: 12_measuring_music
    """
    return {name: {title: function(reference, judged) for title, judged in sets.items()}
            for name, function in measures.MEASURES.items()}


def overlaps(a: Measured, b: Measured) -> bool:
    """Tell whether two intervals have a point in common.

    Example:
        >>> from course_utils.measuring import judging
        >>> judging.overlaps((0.5, 0.4, 0.6), (0.7, 0.55, 0.8))  # value, lower and upper end
        True
    """
    return bool(a[1] <= b[2] and b[1] <= a[2])


def verdict_on(row: Mapping[str, Measured]) -> str:
    """Say why a measure may not be trusted, or "" if it passed the calibration.

    Notebook: 12_measuring_music (written out)

    Args:
        row: one measure's (value, low, high) for each of `calibration_sets`; "Markov" may be
            missing.
    """
    bach = row["other Bach"]
    gap = {name: abs(value - bach[0]) for name, (value, _, _) in row.items()}
    blind = [name for name in ("Markov", "shuffled", "noise") if name in row
             and overlaps(row[name], bach)]
    if not overlaps(row["transposed"], bach):
        return "moves when transposed"
    if gap["half as many"] > (bach[2] - bach[1]) / 2:
        return "depends on the number of pieces"
    if blind:
        return "takes for Bach: " + ", ".join(blind)
    return "" if gap["noise"] >= gap.get("Markov", 0) else "prefers noise to Markov"


def trusted(calibration: Mapping[str, Mapping[str, Measured]]) -> list[str]:
    """Return the measures that pass `verdict_on`.

    Notebook: 12_measuring_music

    Example:
        >>> from course_utils.measuring import judging
        >>> same, worse = (0.5, 0.4, 0.6), (0.9, 0.8, 1.0)
        >>> deaf = dict.fromkeys(["other Bach", "half as many", "transposed", "noise"], same)
        >>> judging.trusted({"deaf": deaf, "good": deaf | {"noise": worse}})
        ['good']
    """
    return [name for name, row in calibration.items() if not verdict_on(row)]


def gap_interval(measured: Measured, level: float) -> tuple[float, float]:
    """Return how far a value may be from a level, given its interval: from 0 if the interval holds
    the level.
    """
    ends = sorted(abs(end - level) for end in measured[1:])
    return (0.0 if measured[1] <= level <= measured[2] else ends[0]), ends[1]


def rank_models(table: Mapping[str, Mapping[str, Measured]], names: Sequence[str],
                bach: str) -> dict[str, dict[str, int]]:
    """Rank models by how near they come to what held-out Bach reaches; whoever overlaps shares a
    rank.

    Notebook: 12_measuring_music

    Args:
        table: model to measure to (value, low, high).
        names: the trusted measures.
        bach: the row whose values are the levels.

    Returns:
        Model to measure to rank, 1 the best; a model is ranked behind those that are nearer to Bach
        for sure.

    Example:
        >>> from course_utils.measuring import judging
        >>> table = {"Bach": {"range": (9, 8, 10)}, "LSTM": {"range": (9.5, 8.5, 11)},
        ...          "Markov": {"range": (20, 18, 22)}}
        >>> judging.rank_models(table, ["range"], bach="Bach")
        {'Bach': {'range': 1}, 'LSTM': {'range': 1}, 'Markov': {'range': 3}}
    """
    ranks: dict[str, dict[str, int]] = {model: {} for model in table}
    for name in names:
        gaps = [gap_interval(row[name], table[bach][name][0]) for row in table.values()]
        for model, rank in zip(table, distances.ranks(gaps)):
            ranks[model][name] = rank
    return ranks


def mean_ranks(ranks: Mapping[str, Mapping[str, int]]) -> dict[str, float]:
    """Return each model's mean rank over the measures, best first.

    Example:
        >>> from course_utils.measuring import judging
        >>> judging.mean_ranks({"Markov": {"a": 2, "b": 2}, "LSTM": {"a": 1, "b": 2}})
        {'LSTM': 1.5, 'Markov': 2.0}
    """
    means = {model: float(np.mean(list(row.values()))) for model, row in ranks.items()}
    return dict(sorted(means.items(), key=lambda item: item[1]))


def pack(models: Mapping[str, Sequence[Score]]) -> dict[str, np.ndarray]:
    """Turn the samples of models, all of one number and length, into arrays for
    `np.savez_compressed`.
    """
    return {"names": np.array(list(models)),
            "pitches": np.array([[piece.pitches for piece in pieces] for pieces in models.values()],
                                np.int8),
            "struck":
            np.packbits([[piece.onsets for piece in pieces] for pieces in models.values()])}


def unpack(arrays: Mapping[str, np.ndarray]) -> dict[str, list[Score]]:
    """Turn what `pack` made back into scores of each model."""
    pitches = arrays["pitches"].astype(np.int16)
    struck = np.unpackbits(arrays["struck"])[: pitches.size].reshape(pitches.shape).astype(bool)
    return {str(name): [scores.from_grid(*piece) for piece in zip(*columns)]
            for name, *columns in zip(arrays["names"], pitches, struck)}


def samples() -> dict[str, list[Score]]:
    """Return 77 pieces of eight bars by every model of the course that writes notes.

    Notebook: 12_measuring_music

    Made by `python -m benchmarks.verdict --samples`.

    Example:
        >>> from course_utils.measuring import judging
        >>> {len(pieces) for pieces in judging.samples().values()}
        {77}
    """
    return unpack(archives.read_npz(environment.shipped(SAMPLES), kinds="biuU"))
