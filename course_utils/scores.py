"""The symbolic side of music: a score on a grid of sixteenth notes, as tokens, MIDI, MusicXML and pictures."""
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

REST = -1
STEPS_PER_QUARTER = 4
LOWEST, HIGHEST = 30, 88
VOCABULARY = HIGHEST - LOWEST + 2
VOICES = ("Soprano", "Alto", "Tenor", "Bass")


@dataclass(frozen=True, eq=False)
class Score:
    """Music on a grid of sixteenth notes (taught in 08_lstm_composes_chorales).

    Attributes:
        pitches: (steps, voices) int16, MIDI note numbers, -1 for a rest.
        onsets: (steps, voices) bool, True where a note begins (a repeated note is not a held one).
        beat: (steps,) int16, position in the bar, in sixteenths from 0.
        bar: (steps,) int16, length of the bar in sixteenths (16 for 4/4, 12 for 3/4).
        fermata: (steps,) bool, True under a fermata, which ends a phrase.
        key: tonic pitch class 0..11 for major, 12 + tonic for minor, None if unknown.
        title: name of the piece.
    """
    pitches: np.ndarray
    onsets: np.ndarray
    beat: np.ndarray
    bar: np.ndarray
    fermata: np.ndarray
    key: int | None = None
    title: str = ""

    def __len__(self) -> int:
        return len(self.pitches)


def to_tokens(pitches: np.ndarray) -> np.ndarray:
    """Turn MIDI pitches (-1 for a rest) of any shape into tokens: 0 for a rest, 1 for MIDI 30, up to 59 for MIDI 88.

    Raises:
        ValueError: if a pitch lies outside of MIDI 30..88.
    """
    pitches = np.asarray(pitches)
    sounding = pitches[pitches != REST]
    if sounding.size and not (LOWEST <= sounding.min() and sounding.max() <= HIGHEST):
        raise ValueError(f"Pitches run from {sounding.min()} to {sounding.max()}, but the networks know MIDI "
                         f"{LOWEST} to {HIGHEST}. Transpose the music by octaves first.")
    return np.where(pitches == REST, 0, pitches - LOWEST + 1).astype(np.int32)


def to_pitches(tokens: np.ndarray) -> np.ndarray:
    """Turn tokens back into MIDI pitches, int16 of the same shape, -1 for a rest."""
    tokens = np.asarray(tokens)
    return np.where(tokens == 0, REST, tokens + LOWEST - 1).astype(np.int16)
