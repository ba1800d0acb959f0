"""The symbolic side of music (notebook 08): a score on a grid of sixteenths, as tokens, as notes.

score_files: scores to and from files. midi_reader, musicxml_reader, musicxml_bars: how these are
read. repeats: the order of bars. reading: bounds and bars. engraving: scores on paper. melodies:
typed by hand. planning: what a composer settles first.
"""
import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from course_utils import environment

REST = -1
STEPS_PER_QUARTER = 4
LOWEST, HIGHEST = 30, 88
VOCABULARY = HIGHEST - LOWEST + 2
LONGEST_BAR = 255
VOICES = ("Soprano", "Alto", "Tenor", "Bass")
# The pitch classes of note names, and how far a sign moves them.
SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
SIGNS = {"": 0, "#": 1, "##": 2, "b": -1, "bb": -2}


@dataclass(frozen=True, eq=False)
class Score:
    """Music on a grid of sixteenth notes.

    Notebook: 08_lstm_composes_chorales

    Attributes:
        pitches: (steps, voices) int16, MIDI note numbers, -1 for a rest.
        onsets: (steps, voices) bool, True where a note begins (a repeated note is not a held one).
        beat: (steps,) int16, position in the bar, in sixteenths from 0.
        bar: (steps,) int16, length of the bar in sixteenths (16 for 4/4, 12 for 3/4).
        fermata: (steps,) bool, True under a fermata, which ends a phrase.
        key: tonic pitch class 0..11 for major, 12 + tonic for minor, None if unknown.
        title: name of the piece, of at most 200 characters that can be printed; what else it
            holds is left out.
        tempo: quarter notes a minute, above 0, None if unknown.

    Raises:
        ValueError: if an array has another shape, kind or range, or the onsets contradict the
            pitches.

    Example:
        >>> from course_utils import scores
        >>> score = scores.from_grid([[72, 48], [72, 48], [74, 48], [-1, 48]], key=0)
        >>> len(score), score.pitches.shape
        (4, (4, 2))
    """
    pitches: np.ndarray
    onsets: np.ndarray
    beat: np.ndarray
    bar: np.ndarray
    fermata: np.ndarray
    key: int | None = None
    title: str = ""
    tempo: float | None = None

    def __post_init__(self):
        shape = np.shape(self.pitches)
        if len(shape) != 2 or 0 in shape:
            raise ValueError("pitches must have the shape (steps, voices), at least one of each, "
                             f"not {shape}.")
        bars = self._column("bar", shape[:1], np.int16, 1, LONGEST_BAR)
        self._column("beat", shape[:1], np.int16, 0, bars - 1)
        self._column("fermata", shape[:1], bool)
        pitches = self._column("pitches", shape, np.int16, REST, 127)
        onsets = self._column("onsets", shape, bool)
        if (onsets & (pitches == REST)).any():
            raise ValueError("onsets marks the beginning of a note where pitches has a rest (-1).")
        if (changes(pitches) & ~onsets).any():
            step, voice = np.argwhere(changes(pitches) & ~onsets)[0]
            raise ValueError(f"Voice {voice} changes its pitch at step {step}, but onsets marks no "
                             "note there. Mark it, or leave onsets to from_grid.")
        if self.key is not None and self.key not in range(24):
            raise ValueError(
                f"key is 0..11 for major, 12..23 for minor, or None, not {self.key!r}.")
        object.__setattr__(self, "key", None if self.key is None else int(self.key))
        if self.tempo is not None and not 0 < self.tempo < math.inf:
            raise ValueError(f"tempo is quarter notes a minute, or None, not {self.tempo!r}.")
        title = environment.printable(self.title or "", environment.LONGEST_NAME).strip()
        object.__setattr__(self, "title", title)

    def _column(self, name: str, shape: tuple, dtype, low=None, high=None) -> np.ndarray:
        """Check one array and keep a read-only view of it, so that nobody changes a shared score by
        accident.
        """
        column = np.asarray(getattr(self, name))
        if column.shape != shape or column.dtype.kind not in ("b" if dtype is bool else "iu"):
            kind = "True/False" if dtype is bool else "whole numbers"
            raise ValueError(f"{name} must hold {kind} in the shape {shape}, not {column.dtype} in "
                             f"{column.shape}.")
        if low is not None and ((column < low) | (column > high)).any():
            raise ValueError(f"{name} must lie between {low} and {np.max(high)}, but runs from "
                             f"{column.min()} to {column.max()}.")
        column = column.astype(dtype, copy=False).view()
        column.flags.writeable = False
        object.__setattr__(self, name, column)
        return column

    def __len__(self) -> int:
        return len(self.pitches)


class Note(NamedTuple):
    """One note of a score: voice 0.., MIDI pitch, first step, and the step after its last."""
    voice: int
    pitch: int
    start: int
    end: int


def changes(pitches: np.ndarray) -> np.ndarray:
    """Mark where a grid (steps, voices) sounds a pitch that it did not sound one step earlier, as
    bool.
    """
    before = np.vstack([np.full((1, pitches.shape[1]), REST), pitches[:-1]])
    return (pitches != REST) & (pitches != before)


def from_grid(pitches: np.ndarray, onsets: np.ndarray | None = None, bar: int = 16, pickup: int = 0,
              key: int | None = None, title: str = "") -> Score:
    """Make a score from a grid of pitches.

    Notebook: 08_lstm_composes_chorales

    Args:
        pitches: (steps, voices), MIDI note numbers, -1 for a rest.
        onsets: (steps, voices) bool, where notes begin; by default wherever the pitch changes.
        bar: length of every bar, in sixteenths.
        pickup: length of an incomplete first bar, in sixteenths; 0 if the first bar is whole.
        key: 0..11 for major, 12..23 for minor, None if unknown.
        title: name of the piece.

    Returns:
        A `Score` without fermatas.

    Raises:
        ValueError: if an argument has another shape, kind or range.

    Example:
        >>> from course_utils import scores
        >>> scores.from_grid([[60], [60], [62], [-1]]).onsets.tolist()
        [[True], [False], [True], [False]]
    """
    pitches = np.asarray(pitches)
    if not 1 <= bar <= LONGEST_BAR or not 0 <= pickup < bar:
        raise ValueError(f"bar is 1 to {LONGEST_BAR} sixteenths, and pickup is shorter than it, "
                         f"not {bar} and {pickup}.")
    if onsets is None and pitches.ndim == 2 and pitches.size:
        onsets = changes(pitches)
    steps = np.arange(len(pitches) if pitches.ndim else 0)
    return Score(pitches, onsets, (steps - pickup) % bar, np.full(len(steps), bar),
                 np.zeros(len(steps), bool), key, title)


def to_tokens(pitches: np.ndarray) -> np.ndarray:
    """Turn MIDI pitches (-1 for a rest) of any shape into tokens: 0 for a rest, 1 for MIDI 30, up
    to 59 for MIDI 88.

    Raises:
        ValueError: if a pitch lies outside of MIDI 30..88.

    Example:
        >>> from course_utils import scores
        >>> scores.to_tokens([-1, 30, 60, 88]).tolist()
        [0, 1, 31, 59]
    """
    pitches = np.asarray(pitches)
    sounding = pitches[pitches != REST]
    if sounding.size and not (sounding.min() >= LOWEST and sounding.max() <= HIGHEST):
        raise ValueError(f"Pitches run from {sounding.min()} to {sounding.max()}, but the networks "
                         f"know MIDI {LOWEST} to {HIGHEST}. Transpose the music by octaves first.")
    return np.where(pitches == REST, 0, pitches - LOWEST + 1).astype(np.int32)


def to_pitches(tokens: np.ndarray) -> np.ndarray:
    """Turn tokens back into MIDI pitches, int16 of the same shape, -1 for a rest.

    Example:
        >>> from course_utils import scores
        >>> scores.to_pitches([0, 1, 31, 59]).tolist()
        [-1, 30, 60, 88]
    """
    tokens = np.asarray(tokens)
    return np.where(tokens == 0, REST, tokens + LOWEST - 1).astype(np.int16)


def transpose(score: Score, semitones: int) -> Score:
    """Move all notes and the key by a number of semitones, up or (if negative) down; rests stay.

    Raises:
        ValueError: if a note would leave MIDI 0..127.

    Example:
        >>> from course_utils import scores
        >>> score = scores.from_grid([[60], [-1]], key=0)
        >>> [scores.transpose(score, n).key for n in (-3, 7, 12)]  # an octave: the same key
        [9, 7, 0]
    """
    sounding = score.pitches != REST
    moved = np.where(sounding, score.pitches + int(semitones), REST)
    if sounding.any() and not (moved[sounding].min() >= 0 and moved[sounding].max() <= 127):
        raise ValueError(f"Moved by {semitones} semitones, notes would leave MIDI 0..127: the "
                         f"score runs from {score.pitches[sounding].min()} to "
                         f"{score.pitches[sounding].max()}.")
    key = None if score.key is None else (score.key + semitones) % 12 + 12 * (score.key >= 12)
    return replace(score, pitches=moved, key=key)


def excerpt(score: Score, begin: int, end: int) -> Score:
    """Cut out the steps from `begin` to the one before `end`; a note held from before begins anew.

    Raises:
        ValueError: if the score has no such steps.

    Example:
        >>> from course_utils import scores
        >>> score = scores.from_grid([[60], [60], [62], [62]])
        >>> scores.excerpt(score, 1, 3).onsets.tolist()  # the note from before begins anew
        [[True], [True]]
    """
    if not 0 <= begin < end <= len(score):
        raise ValueError(f"The score has the steps 0 to {len(score)}, so {begin} to {end} cannot "
                         "be cut out of it.")
    columns = {name: getattr(score, name)[begin:end]
               for name in ("pitches", "onsets", "beat", "bar", "fermata")}
    return replace(score, **columns | {"onsets": columns["onsets"] | changes(columns["pitches"])})


def to_notes(score: Score) -> list[Note]:
    """List the notes of a score, voice by voice, in the order of time."""
    notes = []
    for voice, (pitches, onsets) in enumerate(zip(score.pitches.T, score.onsets.T)):
        borders = np.append(np.flatnonzero(onsets | (pitches == REST)), len(score)).tolist()
        notes += [Note(voice, int(pitches[a]), a, b) for a, b in zip(borders, borders[1:])
                  if onsets[a]]
    return notes


def from_notes(notes: list[Note], voices: int, beat: np.ndarray, bar: np.ndarray,
               **others) -> Score:
    """Draw notes on a grid of sixteenths; where two notes of a voice overlap, the later one cuts
    off the earlier.

    Args:
        notes: the notes, in any order.
        voices: number of voices.
        beat: (steps,), position in the bar; its length is that of the grid.
        bar: (steps,), length of the bar.
        **others: fermata, key, title and tempo of the score, where known.

    Raises:
        ValueError: if the notes or bars are out of range.
    """
    for note in notes:
        if not (0 <= note.voice < voices and 0 <= note.start < note.end <= len(beat)):
            raise ValueError(f"{note} does not fit on a grid of {len(beat)} steps and {voices} "
                             "voices.")
    pitches = np.full((len(beat), voices), REST, np.int16)
    onsets = np.zeros(pitches.shape, bool)
    reached = [0] * voices
    for note in sorted(notes, key=lambda n: n.start):
        pitches[note.start : reached[note.voice], note.voice] = REST
        pitches[note.start : note.end, note.voice] = note.pitch
        onsets[note.start, note.voice] = True
        reached[note.voice] = note.end
    return Score(pitches, onsets, beat, bar, **{"fermata": np.zeros(len(beat), bool)} | others)


def bars(score: Score) -> list[tuple[int, int]]:
    """List the bars of a score as (first step, step after the last); the first and some others may
    be incomplete.
    """
    breaks = (score.beat[1:] != score.beat[:-1] + 1) | (score.bar[1:] != score.bar[:-1])
    borders = [0, *(1 + np.flatnonzero(breaks)).tolist(), len(score)]
    return list(zip(borders, borders[1:]))


def time_signature(steps: int) -> tuple[int, int]:
    """Return the time signature of a bar of so many sixteenths: 16 is 4/4, 12 is 3/4, 6 is 3/8, 24
    is 3/2.
    """
    if steps in (24, 32):
        return steps // 8, 2
    unit = math.gcd(steps, 4)
    return steps // unit, 16 // unit


def voice_name(score: Score, voice: int) -> str:
    """Return the name of a voice: Soprano to Bass in four parts, Melody if it is the only one,
    otherwise a number.
    """
    voices = score.pitches.shape[1]
    return (VOICES[voice] if voices == len(VOICES) else "Melody" if voices == 1
            else f"Voice {voice + 1}")
