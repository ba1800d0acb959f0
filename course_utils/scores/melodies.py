"""Melodies typed as note names."""
import re

import numpy as np

from course_utils.scores import (
    REST,
    SEMITONES,
    SIGNS,
    STEPS_PER_QUARTER,
    Note,
    Score,
    from_notes,
)

WORD = re.compile(r"(?P<name>[A-Ga-g])(?P<sign>##?|bb?)?(?P<octave>-?\d)|(?P<rest>[rR])")
LENGTH = re.compile(r"\d*\.?\d+")
EXAMPLE = ("Write notes such as 'C5 Eb5:0.5 F#4:2^ r' (name, octave, :quarters, ^ for a fermata, r "
           "for a rest).")


def parse_melody(text: str, key: int | None = None, bar: int = 16, pickup: int = 0,
                 title: str = "") -> Score:
    """Turn typed note names into a melody of one voice.

    Notebook: 08_lstm_composes_chorales

    Args:
        text: notes with blanks between them, such as "E5 F#5:2 r:0.5 Bb4:1.5^"; C4 is middle C
            (MIDI 60), the number after the colon is the length in quarter notes (1 without it), ^
            puts a fermata on the note. Bar lines | are ignored.
        key: 0..11 for major, 12..23 for minor, None if unknown; `planning.parse_key` reads its
            name.
        bar: length of every bar, in sixteenths.
        pickup: length of an incomplete first bar, in sixteenths.
        title: name of the melody.

    Returns:
        A `Score` of one voice, every note struck.

    Raises:
        ValueError: if a word is no note, a length is no multiple of a quarter of a quarter note, or
            there is no note.

    Example:
        >>> from course_utils.scores import melodies
        >>> melody = melodies.parse_melody("C4 r D4:2")
        >>> melody.pitches[:, 0].tolist()  # four sixteenths a quarter, -1 for the rest
        [60, 60, 60, 60, -1, -1, -1, -1, 62, 62, 62, 62, 62, 62, 62, 62]
    """
    if not 1 <= bar <= 255 or not 0 <= pickup < bar:
        raise ValueError(f"bar is 1 to 255 sixteenths, and pickup is shorter than it, not {bar} "
                         f"and {pickup}.")
    notes, fermatas, step = [], [], 0
    for word in text.replace("|", " ").split():
        pitch, steps, fermata = _parse(word)
        if pitch != REST:
            notes.append(Note(0, pitch, step, step + steps))
        if fermata:
            fermatas.append((step, step + steps))
        step += steps
    if not notes:
        raise ValueError(f"There are no notes in {text!r}. {EXAMPLE}")
    marked = np.zeros(step, bool)
    for begin, end in fermatas:
        marked[begin:end] = True
    return from_notes(notes, 1, (np.arange(step) - pickup) % bar, np.full(step, bar),
                      fermata=marked, key=key, title=title)


def _parse(word: str) -> tuple[int, int, bool]:
    """Return the pitch (-1 for a rest), the steps, and whether there is a fermata."""
    name, colon, length = word.removesuffix("^").partition(":")
    found = WORD.fullmatch(name)
    if not found or (colon and not LENGTH.fullmatch(length)):
        raise ValueError(f"{word!r} is not a note. {EXAMPLE}")
    steps = float(length or 1) * STEPS_PER_QUARTER
    if steps != round(steps) or not 1 <= steps <= 64:
        raise ValueError(f"{word!r} lasts {length} quarters. Lengths are multiples of 0.25 (a "
                         "sixteenth), up to 16.")
    if found["rest"]:
        return REST, int(steps), word.endswith("^")
    pitch = (12 * (int(found["octave"]) + 1) + SEMITONES[found["name"].upper()]
             + SIGNS[found["sign"] or ""])
    if not 0 <= pitch <= 127:
        raise ValueError(f"{word!r} is MIDI {pitch}, outside of 0..127. Choose another octave; C4 "
                         "is middle C.")
    return pitch, int(steps), word.endswith("^")
