"""What the readers of score files share: bounds, the grid of bars, and an account of what is left
out.
"""
import math
from collections import Counter
from typing import NamedTuple

import numpy as np

from course_utils.scores import LONGEST_BAR, STEPS_PER_QUARTER

# Twenty minutes, the most that can be played, at the fastest tempo of 400 quarters a minute.
MOST_STEPS = 32_000
MOST_VOICES = 64
MOST_NOTES = 200_000
SHORT = "notes shorter than a sixteenth"


class Bar(NamedTuple):
    """A bar on the grid, in steps: where it begins, how long it is, and how long it would be when
    complete.
    """
    begin: int
    size: int
    full: int


class Kept(Counter):
    """Counts what a file holds: notes kept (under "notes"), and by name what is left out."""

    def sentences(self) -> list[str]:
        """Say what was left out, in one sentence, or none."""
        left = {what: count for what, count in self.items() if count and what != "notes"}
        if not left:
            return []
        listed = ", ".join(f"{what} ({count})" for what, count in left.items())
        return [f"{self['notes']} notes are kept. Left out: {listed}."]


def to_step(quarters: float) -> int:
    """Round a time in quarters up to the next step, as the table of chorales does."""
    return math.ceil(float(quarters) * STEPS_PER_QUARTER - 1e-6)


def check_length(quarters: float) -> None:
    """Refuse music that is longer than the grid may be.

    Raises:
        ValueError: if it lasts more than 8000 quarter notes.
    """
    if not quarters * STEPS_PER_QUARTER <= MOST_STEPS:
        raise ValueError(f"It lasts {quarters:.0f} quarter notes, or has a stray note that far out."
                         f" Up to {MOST_STEPS // STEPS_PER_QUARTER} can be read: cut it to the part"
                         " that you need.")


def check_bar(quarters: float) -> float:
    """Return the length of a bar in quarters.

    Raises:
        ValueError: if it is not above 0 and at most 255 sixteenths.
    """
    if not 0 < quarters * STEPS_PER_QUARTER <= LONGEST_BAR:
        raise ValueError(f"It has a metre of {quarters:g} quarter notes a bar. A bar is longer than"
                         f" nothing and at most {LONGEST_BAR} sixteenths long: correct the metre.")
    return quarters


def check_notes(count: int) -> None:
    """Refuse files of more than 200,000 notes.

    Raises:
        ValueError: if there are more.
    """
    if count > MOST_NOTES:
        raise ValueError(f"It has more than {MOST_NOTES} notes. Cut it to the part that you need.")


def lay_bars(bars: list[Bar], length: int, pickup: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Return every step's position in the bar and the bar's length, both in steps.

    An incomplete bar continues an incomplete one before it (a repeat sign inside a bar).

    Args:
        bars: the bars in their order; beyond them, the metre is 4/4.
        length: number of steps.
        pickup: whether a first incomplete bar is a pick-up.
    """
    bar, position = np.full(length, 16, np.int16), None
    beat = np.arange(length, dtype=np.int16) % 16
    for begin, size, full in bars:
        if position is None:
            position = max(0, full - size) if pickup else 0
        elif size >= full:
            position = 0
        here = slice(begin, begin + size)
        beat[here] = (position + np.arange(size)[: len(beat[here])]) % full
        bar[here] = full
        position = (position + size) % full
    return beat, bar
