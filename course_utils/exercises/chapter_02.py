"""Checks of 02_preparing_audio."""
import math

import numpy as np

from course_utils.exercises import call, exercise, number, show


@exercise("02.1")
def windows_in_a_second(answer) -> str | None:
    """Windows of 2048 samples, hop 512, that cover 22050 samples: 41."""
    slips = {40: "One is missing: the first window, or the one for the samples left over. Round "
             "up, then add the first.", 44: "That counts a hop for every 512 samples, but the "
             "first window already covers four of them.", 43: "That is 22050 / 512, rounded down. "
             "Count the first window, then the hops that are still needed.",
             11: "That is the number of windows without overlap. The hop is 512, a quarter of a "
             "window.", 10: "That is the number of whole windows without overlap. The hop is 512, "
             "a quarter of a window.", 31: "That is 16000 Hz, and windows of 1024, as in the "
             "notebook. Here are 22050 samples, and windows of 2048."}
    count = number(answer)
    if count != round(count):
        return "The number of windows is whole: a window begun is a window."
    return (None if count == 41 else slips.get(count, "One window, and then one more for every hop "
                                               "that the rest needs."))


@exercise("02.2")
def semitones_of_a_slow_record(answer) -> str | None:
    """A factor of 0.8 in frequency: 12 log2(0.8), about -3.86 semitones."""
    semitones, right = number(answer), 12 * math.log2(0.8)
    if abs(semitones - right) <= 0.07:
        return None
    if abs(semitones + right) <= 0.07:
        return "The size is right, the sign is not: slower vibrations are lower."
    if abs(semitones - 12 * math.log(0.8)) <= 0.07:
        return ("That uses the natural logarithm. An octave doubles the frequency, so the "
                "logarithm has base 2.")
    if abs(semitones) in (2.4, 9.6):
        return ("Pitch is not proportional to frequency: equal steps in pitch are equal *factors* "
                "in frequency. Use a logarithm.")
    if abs(semitones - math.log2(0.8)) <= 0.02:
        return "Those are octaves. An octave has 12 semitones."
    return "Every semitone multiplies the frequency by 2 ** (1 / 12). How many of them make 0.8?"


@exercise("02.3")
def to_peak(answer) -> str | None:
    """A function (y, peak) that scales to a peak, keeps silence and its input."""
    waves = (np.array([0.1, -0.5, 0.25]), np.array([0.2, 0.1]), np.array([2.0, -4.0]), np.zeros(3))
    for y, peak in zip(waves, (1.0, 0.5, 0.9, 0.9)):
        given = y.copy()
        result = np.asarray(call(answer, given, peak))
        if not np.array_equal(given, y):
            return f"It changed its input: {show(y)} became {show(given)}. Work on a copy."
        if result.shape != y.shape:
            return f"From {show(y)} it made {show(result)}. The shape should stay {y.shape}."
        if not y.any() and (not np.isfinite(result).all() or result.any()):
            return (f"Silence became {show(result)}. It has no peak to divide by: return it as it "
                    "is.")
        if y.any() and not np.allclose(result, y * peak / np.abs(y).max()):
            return (f"For a peak of {peak}, {show(y)} became {show(result)}. The largest absolute "
                    f"sample should be {peak}.")
    return None


@exercise("02.4")
def leaks(answer) -> str | None:
    """A function (groups, train, test) that returns the set of groups on both sides."""
    groups = np.array([7, 7, 3, 3, 5, 9])
    cases = ((np.array([0, 2, 4]), np.array([1, 5]), {7}),
             (np.array([0, 1]), np.array([2, 3]), set()),
             (np.array([0, 2]), np.array([1, 3]), {3, 7}))
    for train, test, expected in cases:
        result = call(answer, groups, train, test)
        if not isinstance(result, set | frozenset):
            return f"It returned {show(result)}. A set is asked for."
        if result != expected:
            shown = f"With groups {show(groups)}, train {show(train)} and test {show(test)}"
            return (f"{shown} it found {show(result)}. The groups on both sides are "
                    f"{show(expected)}.")
    return None
