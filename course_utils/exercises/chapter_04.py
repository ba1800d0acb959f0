"""Checks of 04_convolution_from_scratch."""
import numpy as np

from course_utils.checks import SR
from course_utils.exercises import call, exercise, number, show

SILENCED = 1000


@exercise("04.1")
def steps_of_the_network(answer) -> str | None:
    """1024 samples -> 1020 -> 510 -> 508 -> 254."""
    slips = {256: "That is 1024 / 4: each filter also loses its width minus one at the ends, since "
             "there is no padding.", 255: "That forgets the second convolution, or the first one's "
             "loss at both ends. Go layer by layer.",
             253: "Did each convolution lose a whole width? It loses the width minus one.",
             508: "That is before the last pooling.",
             510: "That is after the first pooling. Two layers follow.",
             1020: "That is after the first layer only.",
             1018: "Both convolutions are in it, but no pooling.",
             16256: "Those are the numbers in all 64 channels. How many steps are they?"}
    steps = number(answer)
    return (None if steps == 254 else slips.get(steps, "Convolutions: 1 + (T - K) steps. Pools: T "
                                                "// 2. Go layer by layer."))


@exercise("04.2")
def weights_of_two_layers(answer) -> str | None:
    """5 * 1 * 32 + 32, and 3 * 32 * 64 + 64."""
    slips = {6304: "The biases are missing, one a filter.", 448: "Each of the 64 filters looks at "
             "all 32 channels of the layer before: 3 * 32 weights, not 3.", 352: "Each of the 64 "
             "filters looks at all 32 channels of the layer before. And where are the biases?",
             6208: "That is the second layer alone.", 192: "That is the first layer alone.",
             6144:
             "Those are the weights of the second layer. Add its biases, and the first layer."}
    count = number(answer)
    return (None if count == 6400 else slips.get(count, "A layer has width * channels * filters "
                                                 "weights, and a bias a filter."))


@exercise("04.3")
def notch(answer) -> str | None:
    """Weights whose gain is 0 at 1000 Hz and 1 at 0 Hz, such as the mean of 16 samples."""
    w = np.asarray(answer)
    if (w.ndim != 1 or w.dtype.kind not in "iuf" or not 2 <= w.size <= SR
            or not np.isfinite(w).all()):
        return ("An array of weights with one axis is asked for, finite numbers, two at least and "
                "one second at most.")
    gain = {hertz: abs(np.sum(w * np.exp(2j * np.pi * hertz * np.arange(w.size) / SR)))
            for hertz in (0, SILENCED)}
    told = f"Its gain is {gain[0]:.2f} at 0 Hz and {gain[SILENCED]:.2f} at {SILENCED} Hz."
    if gain[SILENCED] > 0.01:
        return (f"{told} Which mean takes in exactly one period of {SILENCED} Hz? Or which two "
                "samples cancel?")
    return (None if abs(gain[0] - 1) <= 0.01 else f"{told} At 0 Hz the gain is the size of the sum "
            "of the weights; make that 1.")


@exercise("04.4")
def mean_pool_backward(answer) -> str | None:
    """A function (dy, x, size) that shares dy out among the steps of each group."""
    rng = np.random.default_rng(4)
    for time, size in ((6, 2), (7, 3), (4, 4), (5, 1)):
        x, dy = rng.normal(size=(2, time, 3)), rng.normal(size=(2, time // size, 3))
        given = x.copy(), dy.copy()
        result = np.asarray(call(answer, *given[::-1], size))
        told = f"For x of shape {x.shape} and groups of {size}, "
        if not np.array_equal(given[0], x) or not np.array_equal(given[1], dy):
            return "It changed its input. Work on a copy."
        if result.shape != x.shape:
            return (f"{told}it returned shape {result.shape}. The gradient has the shape of x, "
                    "left-out steps included.")
        expected = np.zeros(x.shape)
        expected[:, : time // size * size] = np.repeat(dy, size, axis=1) / size
        if not np.allclose(result, expected):
            return told + _what_else(result, expected, dy, size)
    return None


def _what_else(result: np.ndarray, expected: np.ndarray, dy: np.ndarray, size: int) -> str:
    used = size * dy.shape[1]
    if np.allclose(result, size * expected):
        return ("every step gets all of dy. A mean changes by only 1 / size as much as one of its "
                "terms.")
    if np.allclose(result[:, :used], np.tile(dy, (1, size, 1)) / size) and dy.shape[1] > 1:
        return ("the groups are mixed up: neighbours belong together (np.repeat), not every other "
                "step (np.tile).")
    if np.any(result[:, used:]):
        return "the steps that were left out get a gradient. They had no effect, so theirs is 0."
    if np.count_nonzero(result[:, :used]) <= dy.size < used * dy.shape[0] * dy.shape[2]:
        return ("only one step of each group gets a gradient. That is max-pooling; in a mean, all "
                "take part.")
    return f"it returned {show(result[0, :, 0])} in the first channel, for dy {show(dy[0, :, 0])}."
