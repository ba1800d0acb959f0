"""What a composer settles before the first note: key, phrases, and voices that are given."""
from dataclasses import replace
from pathlib import Path

import numpy as np

from course_utils.scores import REST, SEMITONES, SIGNS, STEPS_PER_QUARTER, Score, score_files

PHRASE = 32
SLOWEST, FASTEST, USUAL = 10, 400, 80.0  # quarter notes a minute
LONGEST = 1198  # seconds: what the synthesizer plays at a time, without its last sound's tail
# Those that a white key has a name for are called by it.
TONICS = {letter + sign: (pitch + SIGNS[sign]) % 12 for letter, pitch in SEMITONES.items()
          for sign in ("", "#", "b") if letter + sign not in ("E#", "B#", "Fb", "Cb")}


def parse_key(name: str) -> int:
    """Turn a key's name, such as "G major", "F# minor" or "bb minor", into its number: 0..11 major,
    12..23 minor.

    Raises:
        ValueError: if it is not a key's name.

    Example:
        >>> from course_utils.scores import planning
        >>> [planning.parse_key(name) for name in ("C major", "Bb major", "a minor")]
        [0, 10, 21]
    """
    tonic, _, mode = name.strip().partition(" ")
    tonic, mode = tonic[:1].upper() + tonic[1:], mode.strip().lower()
    if tonic not in TONICS or mode not in ("major", "minor"):
        raise ValueError(f"'{name}' is not a key. Write a tonic and a mode, such as 'G major', 'F# "
                         "minor' or 'Bb major'.")
    return TONICS[tonic] + 12 * (mode == "minor")


def key_name(key: int | None) -> str:
    """Name a key by its number, such as "G major"; with the tonic that needs fewer sharps or
    flats.
    """
    if key is None:
        return "unknown key"
    names = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B") if key >= 12 else (
        "C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
    return f"{names[key % 12]} {'minor' if key >= 12 else 'major'}"


def plan_chorale(phrases: int, key: int | None = None) -> Score:
    """Return an empty four-part score: a pick-up of one beat, two bars of 4/4 a phrase, a fermata
    on each phrase's end.

    Args:
        phrases: number of phrases of 32 sixteenths.
        key: tonic pitch class for major, 12 + tonic for minor, None to leave it to the network.

    Raises:
        ValueError: if there is not at least one phrase, or no such key.

    Example:
        >>> from course_utils.scores import planning
        >>> plan = planning.plan_chorale(2, key=planning.parse_key("G major"))
        >>> plan.pitches.shape, plan.beat[:6].tolist()  # the pick-up is the fourth beat of a bar
        ((64, 4), [12, 13, 14, 15, 0, 1])
    """
    if phrases < 1:
        raise ValueError(f"A chorale has at least one phrase, not {phrases}. Five make half a "
                         "minute.")
    steps = np.arange(phrases * PHRASE)
    silence = np.full((len(steps), 4), REST, np.int16)
    beat = ((steps + 12) % 16).astype(np.int16)
    return Score(silence, silence != REST, beat, np.full_like(beat, 16),
                 steps % PHRASE >= PHRASE - 4, key)


def plan_harmony(melody: Score) -> Score:
    """Return a four-part score that holds the melody in the soprano and is empty below, for
    `compose` to fill.

    Without any fermata the last note gets one, so that the network knows where the music ends.

    Args:
        melody: a score of one voice (or of several; the first is taken).

    Raises:
        ValueError: if the melody has no note or lies outside of a soprano's reach.

    Example:
        >>> from course_utils.scores import melodies, planning
        >>> plan = planning.plan_harmony(melodies.parse_melody("C5 D5 E5"))
        >>> plan.pitches[::4].tolist()
        [[72, -1, -1, -1], [74, -1, -1, -1], [76, -1, -1, -1]]
    """
    notes = melody.pitches[:, 0][melody.pitches[:, 0] != REST]
    if not notes.size:
        raise ValueError("The melody has no notes. Choose a file whose first voice is the melody.")
    if notes.min() < 55 or notes.max() > 84:
        octaves = round((69 - float(np.median(notes))) / 12)
        voices = melody.pitches.shape[1]
        melody_is = ("The melody" if voices == 1 else f"The first of {voices} voices, which is "
                     "taken for the melody,")
        raise ValueError(f"{melody_is} runs from MIDI {notes.min()} to {notes.max()}; a soprano "
                         f"reaches from 55 to 84. Transpose it by {12 * octaves:+d} semitones, or "
                         "shorten its range.")
    pitches = np.full((len(melody), 4), REST, np.int16)
    onsets = np.zeros((len(melody), 4), bool)
    pitches[:, 0], onsets[:, 0] = melody.pitches[:, 0], melody.onsets[:, 0]
    fermata = melody.fermata.copy()
    if not fermata.any():
        fermata[np.flatnonzero(melody.onsets[:, 0])[-1] :] = True
    return replace(melody, pitches=pitches, onsets=onsets, fermata=fermata)


def read_melody(path: str | Path) -> tuple[Score, float, list[str]]:
    """Read a melody to harmonise from a file, and check that what comes of it can be played.

    Args:
        path: MIDI or MusicXML file, whose first voice is the melody.

    Returns:
        The score to fill, as of `plan_harmony`; its tempo in quarter notes a minute, the file's own
        from 10 to 400, else 80; and sentences about what of the file is not used.

    Raises:
        ValueError: if the file cannot be read, the melody cannot be sung by a soprano, or lasts
            longer than 20 minutes.
        OSError: if there is no such file, or it may not be read.
    """
    told: list[str] = []
    melody = score_files.read(path, told)
    tempo = melody.tempo
    if tempo is None or not SLOWEST <= tempo <= FASTEST:
        found = "no tempo" if tempo is None else f"a tempo of {tempo:.4g} quarter notes a minute"
        told.append(f"'{path}': It has {found}; {USUAL:.0f} quarter notes a minute are used.")
        tempo = USUAL
    if melody.pitches.shape[1] > 1:
        told.append(f"'{path}': It has {melody.pitches.shape[1]} voices; the first is the melody, "
                    "the others are left out.")
    seconds = len(melody) / STEPS_PER_QUARTER * 60 / tempo
    if seconds > LONGEST:
        raise ValueError(f"'{path}' lasts {seconds / 60:.1f} minutes at {tempo:.4g} quarter notes "
                         "a minute; up to 20 can be played. Cut it to the part that you need.")
    try:
        return plan_harmony(melody), tempo, told
    except ValueError as error:
        raise ValueError(f"'{path}': {error}") from error


def ends_on_tonic(score: Score) -> bool:
    """Tell whether the last chord is the tonic triad of the score's key in root position (in minor
    also its major twin).

    Raises:
        ValueError: if the key is unknown.

    Example:
        >>> from course_utils import scores
        >>> from course_utils.scores import planning
        >>> chords = [72, 67, 64, 48], [72, 67, 60, 52]  # C major: C in the bass, E in the bass
        >>> [planning.ends_on_tonic(scores.from_grid([chord], key=0)) for chord in chords]
        [True, False]
    """
    if score.key is None:
        raise ValueError("The score has no key, so its tonic is unknown. Give it one with "
                         "dataclasses.replace(score, key=...).")
    chord = score.pitches[-1][score.pitches[-1] != REST]
    degrees = (chord - score.key) % 12
    thirds = {4} if score.key < 12 else {3, 4}
    return (chord.size > 0 and bool(degrees[chord.argmin()] == 0)
            and set(degrees.tolist()) <= {0, 7} | thirds)
