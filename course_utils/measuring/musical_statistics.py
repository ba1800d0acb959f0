"""Statistics of scores: pitch, rhythm, harmony and form as numbers, histograms and matrices.

All take a `scores.Score`; `scores.from_grid(scores.to_pitches(tokens), onsets)` makes one of a grid
of tokens (steps, voices).
"""
import functools
from collections.abc import Sequence

import numpy as np

from course_utils.measuring import counterpoint
from course_utils.measuring.counterpoint import BAR
from course_utils.scores import REST, STEPS_PER_QUARTER, Score, to_notes

# C major, C natural minor
SCALES = np.array([[1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1], [1, 0, 1, 1, 0, 1, 0, 1, 1, 0, 1, 0]])
LONGEST = 16  # sixteenths; longer notes count as this long
LEAP = 12  # semitones; wider intervals count as this wide


def pitch_class_histogram(score: Score) -> np.ndarray:
    """Return how the notes are shared out among the 12 pitch classes, C first.

    Notebook: 12_measuring_music

    Each note counts once, however long: PCH of Yang and Lerch, "On the evaluation of generative
    models in music" (2018). Not invariant: it turns with a transposition.
    """
    return _share(np.bincount(score.pitches[score.onsets] % 12, minlength=12))


def pitch_class_entropy(score: Score) -> float:
    """Return the entropy of the pitch classes in bits: 0 for a single note, log2(7) = 2.81 for an
    even scale, at most 3.58.

    Notebook: 12_measuring_music

    H = -sum p log2 p, Wu and Yang, "The jazz transformer on the front line" (2020).
    """
    p = pitch_class_histogram(score)
    return float(-(p[p > 0] * np.log2(p[p > 0])).sum())


def scale_consistency(score: Score) -> float:
    """Return the largest share of notes that lie in one major or natural minor scale.

    Notebook: 12_measuring_music

    Mogren, "C-RNN-GAN" (2016). 1 for any tune on the white keys; noise reaches about 7 / 12.
    """
    p = pitch_class_histogram(score)
    return float(max(np.roll(scale, tonic) @ p for scale in SCALES for tonic in range(12)))


def groove_consistency(score: Score) -> float:
    """Return how much the rhythm of one bar resembles that of the next.

    Notebook: 12_measuring_music

    1 - mean Hamming distance between the onset patterns of neighbouring bars (16 steps), all voices
    together: Wu and Yang (2020).
    """
    struck = score.onsets.any(axis=1)
    bars = np.pad(struck, (0, -len(struck) % BAR)).reshape(-1, BAR)  # (bars, 16)
    return float(1 - (bars[:-1] != bars[1:]).mean()) if len(bars) > 1 else 1.0


def pitch_range(score: Score) -> float:
    """Return the distance from the lowest to the highest note in semitones, 0 without notes: Yang
    and Lerch (2018).
    """
    sounding = score.pitches[score.pitches != REST]
    return float(np.ptp(sounding)) if sounding.size else 0.0


def polyphony(score: Score) -> float:
    """Return how many different pitches sound at once: mean over the steps at which any does, 0
    without notes.
    """
    ordered = np.sort(score.pitches, axis=1)
    new = np.diff(ordered, axis=1, prepend=REST) > 0
    return float(new.sum() / max(1, new.any(axis=1).sum()))


def note_density(score: Score) -> float:
    """Return how many notes begin in a quarter note, all voices together."""
    return float(score.onsets.sum() / len(score) * STEPS_PER_QUARTER)


def repeated_step_rate(score: Score) -> float:
    """Return the share of steps, from the second on, at which nothing begins and nothing ends: 1 is
    standing still.
    """
    still = ~score.onsets[1:].any(axis=1) & (score.pitches[1:] == score.pitches[:-1]).all(axis=1)
    return float(still.mean()) if len(still) else 1.0


def mean_interval(score: Score) -> float:
    """Return the mean size of the steps from note to note in a voice, in semitones: PI of Yang and
    Lerch (2018).
    """
    sizes = np.abs(_intervals(score))
    return float(sizes.mean()) if sizes.size else 0.0


def mean_duration(score: Score) -> float:
    """Return the mean length of a note in quarter notes, 0 without notes."""
    lengths = _durations(score)
    return float(lengths.mean() / STEPS_PER_QUARTER) if lengths.size else 0.0


def duration_histogram(score: Score) -> np.ndarray:
    """Return the share of notes that last 1, 2, ... 15, and 16 or more sixteenths, (16,): NLH of
    Yang and Lerch (2018).
    """
    return _share(np.bincount(_durations(score).clip(0, LONGEST), minlength=LONGEST + 1)[1:])


def interval_histogram(score: Score) -> np.ndarray:
    """Return the share of melodic intervals, from an octave down or more to an octave up or more,
    (25,).
    """
    return _share(np.bincount(_intervals(score).clip(-LEAP, LEAP) + LEAP, minlength=2 * LEAP + 1))


def pitch_class_transitions(score: Score) -> np.ndarray:
    """Return how often each pitch class follows each other in a voice, (12, 12), rows from, columns
    to, sum 1.

    PCTM of Yang and Lerch (2018); over a rest nothing follows.
    """
    pairs = [pair for voice in _voices(score) for pair in voice]
    table = np.zeros((12, 12))
    np.add.at(table, tuple(np.array(pairs, int).reshape(-1, 2).T % 12), 1)
    return _share(table)


def chord_histogram(score: Score) -> np.ndarray:
    """Return how long each type of chord sounds: shares of the 352 pitch-class sets up to
    transposition.

    Notebook: 12_measuring_music

    Major triads of all keys are one type, minor triads another; spacing and doubling do not count.
    Type 0 is silence. Transposition classes as in Forte, "The structure of atonal music" (1973),
    but without inversion.
    """
    sounding = score.pitches != REST
    present = np.zeros((len(score), 12), bool)
    present[np.nonzero(sounding)[0], score.pitches[sounding] % 12] = True
    return _share(np.bincount(_chord_types()[present @ (1 << np.arange(12))], minlength=352))


@functools.cache
def _chord_types() -> np.ndarray:
    """Number the pitch-class sets, given as 12 bits, so that all transpositions of a set have one
    number.
    """
    sets = np.arange(4096)
    turned = np.stack([(sets << k | sets >> 12 - k) & 4095 for k in range(12)])
    return np.unique(turned.min(axis=0), return_inverse=True)[1]


def self_similarity(score: Score) -> np.ndarray:
    """Return how much each bar of 16 steps resembles each other one: the share of notes that agree,
    (bars, bars).

    What stands in an incomplete last bar is left out. Foote, "Visualizing music and audio using
    self-similarity" (1999).
    """
    # (bars, 16 * voices)
    bars = score.pitches[: len(score) // BAR * BAR].reshape(-1, BAR * score.pitches.shape[1])
    return (bars[:, None] == bars[None]).mean(axis=2)


def distinct_share(pieces: Sequence[Score], steps: int = BAR) -> float:
    """Return the share of a set's passages that are different, up to transposition (printed by
    `benchmarks.verdict`).

    Distinct-n of Li et al., "A diversity-promoting objective function" (2016), with passages that
    begin on every quarter. A model that makes one piece only, however good, comes near to 0.

    Args:
        pieces: scores with the same number of voices, none shorter than `steps`.
        steps: length of a passage.
    """
    passages = [piece.pitches[first : first + steps].astype(int) for piece in pieces
                for first in range(0, len(piece) - steps + 1, STEPS_PER_QUARTER)]
    lowest = [passage[passage != REST].min(initial=128) for passage in passages]
    moved = {np.where(p == REST, 255, p - low).astype(np.uint8).tobytes()
             for p, low in zip(passages, lowest)}
    return len(moved) / max(1, len(passages))


# Every number that describes one score; none changes when the score is transposed.
STATISTICS = {
    "pitch-class entropy": pitch_class_entropy,
    "scale consistency": scale_consistency,
    "groove consistency": groove_consistency,
    "pitch range": pitch_range,
    "polyphony": polyphony,
    "note density": note_density,
    "repeated steps": repeated_step_rate,
    "mean interval": mean_interval,
    "mean duration": mean_duration,
    "voices crossed": counterpoint.crossing_rate,
    "dissonance": counterpoint.dissonance_rate,
    "repetition": counterpoint.repetition_rate,
}
HISTOGRAMS = {"chord types": chord_histogram, "melodic intervals": interval_histogram,
              "durations": duration_histogram}


def table(pieces: Sequence[Score]) -> np.ndarray:
    """Return all `STATISTICS` of all pieces, float64 (pieces, statistics).

    Notebook: 12_measuring_music

    Raises:
        ValueError: if there is no piece.

    Example:
        >>> from course_utils import scores
        >>> from course_utils.measuring import musical_statistics
        >>> row = musical_statistics.table([scores.from_grid([[72, 67, 64, 48]] * 16)])[0].tolist()
        >>> dict(zip(musical_statistics.STATISTICS, row))["pitch range"]  # in semitones
        24.0
    """
    if not len(pieces):
        raise ValueError("There is nothing to measure. Give a list of at least one score.")
    return np.array([[function(piece) for function in STATISTICS.values()] for piece in pieces],
                    float)


def _share(counts: np.ndarray) -> np.ndarray:
    return counts / max(1, counts.sum())


def _voices(score: Score) -> list[list[tuple[int, int]]]:
    """Return for each voice the pairs of neighbouring notes that no rest parts, as pitches."""
    notes = [[note for note in to_notes(score) if note.voice == voice]
             for voice in range(score.pitches.shape[1])]
    return [[(a.pitch, b.pitch) for a, b in zip(voice, voice[1:]) if a.end == b.start]
            for voice in notes]


def _intervals(score: Score) -> np.ndarray:
    return np.array([after - before for voice in _voices(score) for before, after in voice], int)


def _durations(score: Score) -> np.ndarray:
    return np.array([note.end - note.start for note in to_notes(score)], int)
