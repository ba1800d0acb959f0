"""Checks of 00_welcome."""
import numpy as np

from course_utils.exercises import call, exercise, number, show
from course_utils.scores import REST

C_MAJOR = {0: "C", 4: "E", 7: "G"}


@exercise("00.1")
def sixteenths_in_thirty_seconds(answer) -> str | None:
    """Thirty seconds at 80 quarter notes a minute: 40 quarter notes, 160 sixteenths."""
    slips = {40: "Those are the quarter notes. How many sixteenths does each hold?",
             10: "That divides by four: a sixteenth is shorter than a quarter note, so there are "
             "more of them.", 640: "That is sixteen steps a quarter note. Sixteen make a whole "
             "note.", 2400: "That is 30 times 80: seconds times quarter notes a *minute*. Divide "
             "by 60 seconds, then count sixteenths.",
             9600: "The tempo is given a minute and the duration in seconds: divide by 60.",
             320: "That is a whole minute. The music lasts half of one."}
    steps = number(answer)
    return (None if steps == 160 else slips.get(steps, "Count the quarter notes in half a minute; "
                                                "each holds four sixteenths."))


@exercise("00.2")
def c_major_chord(answer) -> str | None:
    """Four pitches, soprano first, that form a C major triad over C."""
    chord = np.asarray(answer)
    if chord.shape != (4,) or chord.dtype.kind not in "iuf" or np.any(chord != np.round(chord)):
        return "A list of four whole numbers is asked for: soprano, alto, tenor, bass."
    pitches = [int(pitch) for pitch in chord]
    classes = {pitch % 12 for pitch in pitches}
    if outside := [pitch for pitch in pitches if not 36 <= pitch <= 81]:
        return f"{show(outside)} cannot be sung: stay between 36 (a low C) and 81 (a high A)."
    if foreign := [pitch for pitch in pitches if pitch % 12 not in C_MAJOR]:
        return (f"{show(foreign)} is no C, E or G. Those are 60, 64 and 67, and 12 more or less "
                "for each octave.")
    if missing := [name for pitch_class, name in C_MAJOR.items() if pitch_class not in classes]:
        return f"It holds no {' and no '.join(missing)}. A triad needs all three of C, E and G."
    if pitches != sorted(pitches, reverse=True):
        return "The voices cross: begin with the highest, the soprano, and go down to the bass."
    return (None if pitches[3] % 12 == 0 else f"The bass sings {C_MAJOR[pitches[3] % 12]}. It "
            "should sing a C.")


@exercise("00.3")
def shift(answer) -> str | None:
    """A function (pitches, semitones) that transposes a grid, leaves rests alone and changes no
    input.
    """
    melody = np.array([[72, 67, 64, 48], [REST, 67, REST, 48]])
    for pitches, semitones in ((melody, 2), (melody, -3), (np.array([[60], [REST], [62]]), 1),
                               (melody, 0)):
        given = pitches.copy()
        expected = np.where(pitches == REST, REST, pitches + semitones)
        result = np.asarray(call(answer, given, semitones))
        if not np.array_equal(given, pitches):
            return f"It changed its input: {show(pitches)} became {show(given)}. Work on a copy."
        if result.shape != pitches.shape:
            return (f"From {show(pitches)} it made {show(result)}. The shape should stay "
                    f"{pitches.shape}.")
        if np.array_equal(result, pitches + semitones) and not np.array_equal(result, expected):
            return (f"By {semitones} semitones it moved the rests ({REST}), too: {show(pitches)} "
                    f"became {show(result)}.")
        if not np.array_equal(result, expected):
            return (f"By {semitones} semitones, {show(pitches)} became {show(result)}. It should "
                    f"be {show(expected)}.")
    return None
