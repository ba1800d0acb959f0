"""Checks of 03_features."""
import numpy as np

from course_utils.exercises import call, exercise, number
from course_utils.sound.features import dct_matrix

TASKS = {"log-mel": "(a) Small filters that slide need a picture whose neighbours are neighbours "
         "in frequency, spaced as by the ear.",
         "chroma": "(b) Chords do not depend on octave or instrument, so use what forgets both.",
         "STFT": "(c) Only one of them comes back without any loss, if its phases are kept.",
         "MFCC": "(d) Ask what describes the outline of a spectrum with the first few cosines."}


@exercise("03.1")
def frames_of_ten_seconds(answer) -> str | None:
    """Ten seconds at 22,050 Hz with hop 512: 1 + 220500 // 512 = 431 frames, whatever the
    window.
    """
    slips = {430: "The first frame is centred on the first sample, before any hop. Do not forget "
             "it.", 432: "A frame is centred on every 512th sample that exists; the part after the "
             "last whole hop makes no frame.", 427: "That is without zeros at the ends. "
             "features.stft centres the first frame on the first sample.",
             108: "That counts windows side by side. Frames follow one another after a hop, not "
             "after a window.", 44: "That is one second. Ten are asked for."}
    frames = number(answer)
    if frames != round(frames):
        return ("Frames come in whole numbers. One is centred on the first sample, and one on "
                "every 512th after it.")
    advice = "Count the samples, and how many whole hops they hold; then add the first frame."
    return None if frames == 431 else slips.get(frames, advice)


@exercise("03.2")
def window_for_the_bass(answer) -> str | None:
    """Bins of at most 1.25 Hz at 16,000 Hz: 12,800 samples, so 16,384."""
    n_fft = number(answer)
    if n_fft < 2 or np.log2(n_fft) % 1:
        return "A power of two is asked for, such as 512 or 1024."
    bins = 2.5 / (16000 / n_fft)
    if n_fft < 16384:
        return f"The two notes are only {bins:.2f} of its bins apart."
    return (None if n_fft == 16384 else f"The notes are {bins:.1f} of its bins apart. A smaller "
            "one will do, and blurs time less.")


@exercise("03.3")
def smooth(answer) -> str | None:
    """A function (log_mel, keep) that keeps the first DCT coefficients of each frame and returns
    bands.
    """
    rng = np.random.default_rng(0)
    for frames, bands, keep in ((64, 64, 13), (3, 64, 64), (5, 40, 1)):
        given = rng.normal(-30, 10, (frames, bands))
        before, rows = given.copy(), dct_matrix(bands)
        result = np.asarray(call(answer, given, keep))
        told = f"From {frames} frames of {bands} bands, keeping {keep}, "
        if not np.array_equal(given, before):
            return "It changed its input. Work on a copy."
        if result.shape == (frames, keep) and keep != bands:
            return f"{told}it returned the coefficients. Go back to bands with the transposed DCT."
        if result.shape != given.shape:
            return f"{told}it returned shape {result.shape}. The shape should stay {given.shape}."
        if not np.allclose(result, given @ rows[:keep].T @ rows[:keep], atol=1e-3):
            return told + _what_else(result, given, rows, keep)
    return None


def _what_else(result, given, rows, keep: int) -> str:
    first = rows[:keep].T @ rows[:keep]
    others = {"it changed nothing: all coefficients are still there.": given,
              "it kept the last coefficients. The broad shape is in the first ones.": given
              @ rows[-keep:].T @ rows[-keep:],
              f"it dropped the first {keep} and kept the others.": given - given @ first,
              "it returned coefficients, some set to 0. Go back to bands.": given @ rows.T
              * (np.arange(len(rows)) < keep)}
    if len(given) == len(rows):
        others["it transformed along time. Each row is a frame; transform along the bands."] = (
            first @ given)
    advice = ("its values are not what the first rows of the DCT matrix leave: multiply by them "
              "transposed, then by them.")
    return next((slip for slip, wrong in others.items() if np.allclose(result, wrong, atol=1e-3)),
                advice)


@exercise("03.4")
def feature_for_each_task(answer) -> str | None:
    """A feature for a CNN, for chords, for sound back, for the colour of a voice."""
    if not isinstance(answer,
                      list | tuple | np.ndarray) or sorted(map(str, answer)) != sorted(TASKS):
        return f"A list of four names is asked for, each once: {', '.join(sorted(TASKS))}."
    return next((hint for chosen, (name, hint) in zip(answer, TASKS.items()) if chosen != name),
                None)
