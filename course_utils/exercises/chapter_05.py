"""Checks of 05_cnn_hears_timbre."""
import numpy as np

from course_utils.exercises import call, exercise, number, show


@exercise("05.1")
def numbers_before_the_last_layer(answer) -> str | None:
    """1024 - 4 = 1020, halved 510, - 2 = 508, halved 254, times 64 filters: 16256."""
    slips = {16384: "That is for convolutions that keep the length. Without padding, a filter of 5 "
             "fits in 4 places less.",
             254: "That is the number of places. At each of them 64 filters answer.",
             8128: "The last convolution has 64 filters, not 32.",
             32512: "That leaves out the second pooling.", 65024: "That leaves out both poolings.",
             130056: "Those are the weights of the dense layer. Count the numbers that it reads."}
    count = number(answer)
    return (None if count == 16256 else slips.get(count, "Follow the length: minus 4, halved, "
                                                  "minus 2, halved; then 64 filters."))


@exercise("05.2")
def samples_seen(answer) -> str | None:
    """Receptive field: 5, pooled 6, a convolution of 3 at step 2 makes 10, pooled at step 2 makes
    12.
    """
    slips = {5: "That is what one filter of the first layer sees. Go on through pooling and the "
             "second layer.", 6: "That is after the first pooling. The second layer and its "
             "pooling follow.", 8: "Filter widths add up only while every step is one sample. "
             "After pooling, a step is two samples.",
             10: "That is before the second pooling, which looks at two neighbours.",
             14: "The second pooling looks at two neighbours that are two samples apart, not four.",
             1024: "All of the frame is seen by the dense layer. One number after the second "
             "pooling sees far less."}
    count = number(answer)
    advice = "Go backwards: two neighbours, each from three, each from two, each from five samples."
    return None if count == 12 else slips.get(count, advice)


@exercise("05.3")
def balanced(answer) -> str | None:
    """A function (played, heard) that returns the mean over classes of the share heard rightly."""
    cases = (([0, 0, 0, 0, 1], [0, 0, 1, 1, 1]), ([5, 2, 5, 5, 2, 5], [5, 2, 2, 5, 0, 5]),
             ([1, 1], [1, 1]))
    for played, heard in cases:
        played, heard = np.array(played), np.array(heard)
        result = call(answer, played.copy(), heard.copy())
        right = np.mean([(heard[played == k] == k).mean() for k in np.unique(played)])
        if isinstance(result, float) and np.isnan(result):
            return ("It returned nan: a class that was not played has no share. Go through "
                    "np.unique(played).")
        if not np.isclose(number(result), right):
            told = (f"For played = {show(played)} and heard = {show(heard)} it returned "
                    f"{result:g}, not {right:g}.")
            if np.isclose(result, (played == heard).mean()):
                return f"{told} That is the share of all tones; large classes count more in it."
            if np.isclose(result,
                          np.mean([(played[heard == k] == k).mean() for k in np.unique(heard)])):
                return f"{told} Go by what was played, not by what was heard."
            return (f"{told} For each class that was played, take the share heard rightly; then "
                    "the mean of these.")
    return None


@exercise("05.4")
def relative(answer) -> str | None:
    """A function (level) that makes each note of a batch (notes, frames, bands) independent of its
    loudness.
    """
    level = np.random.default_rng(0).normal(-40, 10, (3, 5, 4))
    level[1] += 20
    level[2, 4] -= 80
    given = level.copy()
    result = np.asarray(call(answer, given))
    if not np.array_equal(given, level):
        return "It changed its input. Work on a copy."
    if result.shape != level.shape:
        return f"It returned shape {result.shape}. The shape should stay {level.shape}."
    loudest = level.max(axis=(1, 2), keepdims=True)
    if np.allclose(result, level - loudest):
        return None
    if np.allclose(result, level / loudest):
        return "Decibels are logarithms: subtract the loudest spot, do not divide by it."
    if np.allclose(result, np.maximum(level - loudest, result.min())):
        return (f"It cuts off what is soft, at {result.min():g} dB. All differences within a note "
                "should stay.")
    others = {"It subtracts the loudest spot of the whole batch, so a soft note stays soft.":
              level.max(), "It subtracts the loudest band of each frame, so attack and decay are "
              "lost.": level.max(axis=2, keepdims=True),
              "It subtracts the loudest frame of each band, so its colour is lost.":
              level.max(axis=1, keepdims=True)}
    advice = ("The loudest spot of every note should come to 0 dB, and differences within a note "
              "should stay.")
    return next((slip for slip, off in others.items() if np.allclose(result, level - off)), advice)
