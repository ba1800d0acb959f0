"""Checks of 06_recurrence_from_scratch."""
import math

import numpy as np

from course_utils.by_hand.recurrence import rnn_forward, sigmoid
from course_utils.exercises import Hint, call, exercise, number

DELAY_INPUTS = ((0.05, -0.02, 0.0, 0.08, 0.03, -0.06), (0.0, 0.0, -0.09, 0.0, 0.0))


@exercise("06.1")
def numbers_in_an_lstm(answer) -> str | None:
    """128 units, 64 features: 4 * (64 * 128 + 128 * 128 + 128) = 98,816."""
    slips = {98_304: "The biases are missing: one for every unit of every gate.",
             24_704: "That is a simple RNN. An LSTM has four such sets: three gates and the "
             "candidate.", 74_112: "That is three gates. The candidate has a kernel, a recurrent "
             "kernel and a bias, too.", 33_280: "The recurrent kernels are missing: every gate "
             "also reads all 128 numbers of the state.", 66_048: "The kernels for the inputs are "
             "missing: every gate also reads the 64 features.", 49_408: "Every gate reads the 64 "
             "features and the 128 numbers of the state, and has 128 units, not 64."}
    count = number(answer)
    advice = ("Each of four parts has a kernel (64, 128), a recurrent kernel (128, 128) and a bias "
              "(128,).")
    return None if count == 98_816 else slips.get(count, advice)


@exercise("06.2")
def bias_for_a_hundred_steps(answer) -> str | None:
    """sigmoid(bias) ** 100 = 0.01: f = 0.01 ** 0.01, bias = ln(f / (1 - f)), about 3.05."""
    bias, gate = number(answer), 0.01**0.01
    if abs(bias - math.log(gate / (1 - gate))) <= 0.005:
        return None
    if abs(bias - gate) <= 0.01:
        return "That is how open the gate has to be. Which bias gives a sigmoid of that size?"
    if abs(bias - 1 / (1 + math.exp(-gate))) <= 0.005:
        return ("That is the sigmoid of the gate. Undo the sigmoid instead: which bias leads to "
                "the gate?")
    left = 1 / (1 + math.exp(-min(max(bias, -20), 20)))
    return (f"With it the gate is {left:.4f}, and after 100 steps {left**100:.3g} of the gradient "
            "is left, not 0.01.")


@exercise("06.3")
def delay_line(answer) -> str | None:
    """Weights of an RNN whose unit 0 repeats the input and whose unit 1 repeats the input
    before.
    """
    if not isinstance(answer, list | tuple) or len(answer) != 3:
        return "A list of three arrays is asked for: kernel, recurrent kernel, bias."
    weights = [np.asarray(array, float) for array in answer]
    shapes = [array.shape for array in weights]
    if shapes != [(1, 2), (2, 2), (2,)]:
        return (f"The shapes are {shapes[0]}, {shapes[1]} and {shapes[2]}. They should be (1, 2), "
                "(2, 2) and (2,).")
    if not all(np.isfinite(array).all() for array in weights):
        return "They hold NaN or infinity."
    return next(filter(None, (_delay_hint(np.array(inputs), weights) for inputs in DELAY_INPUTS)),
                None)


def _delay_hint(inputs: np.ndarray, weights: list) -> str | None:
    h = rnn_forward(inputs[None, :, None], weights, np.zeros((1, 2)))[0, 1:]
    before = np.append(0.0, inputs[:-1])
    if np.allclose(h, np.stack([inputs, before], axis=1), atol=0.002):
        return None
    told = f"From {inputs.tolist()}, unit {{}} made {{}}."
    if np.abs(h[:, 0] - inputs).max() > 0.002:
        swapped = (np.allclose(h[:, 1], inputs, atol=0.002)
                   and np.allclose(h[:, 0], before, atol=0.002))
        advice = ("The two units are swapped." if swapped else "It should repeat the inputs, and "
                  "read nothing else.")
        return f"{told.format(0, np.round(h[:, 0], 3).tolist())} {advice}"
    if np.abs(weights[1]).max() > 0 and np.allclose(h[:, 1], 0):
        advice = ("Nothing arrives. In `h @ recurrent`, the row is where a number comes from, the "
                  "column where it goes.")
    else:
        advice = ("It should repeat what unit 0 was one step before, and neither the input nor "
                  "itself.")
    return f"{told.format(1, np.round(h[:, 1], 3).tolist())} {advice}"


def _gru(x, h, kernel, recurrent, order="zrg", keep=lambda z, h, g: z * h + (1 - z) * g,
         reset=lambda r, h, u: (r * h) @ u, bends=(sigmoid, np.tanh)):
    """Return the new state of a gated recurrent unit, or of a plausible misreading of its
    equations.
    """
    from_x = dict(zip(order, np.split(x @ kernel, 3, axis=-1)))
    u = dict(zip(order, np.split(recurrent, 3, axis=-1)))
    z, r = (bends[0](from_x[name] + h @ u[name]) for name in "zr")
    return keep(z, h, bends[1](from_x["g"] + reset(r, h, u["g"])))


GRU_SLIPS = {"z and 1 - z are swapped: where z is 1 the old state stays.":
             {"keep": lambda z, h, g: (1 - z) * h + z * g},
             "r acts on the state before it is multiplied by the kernel, not after.":
             {"reset": lambda r, h, u: r * (h @ u)},
             "r has no effect: the candidate reads r * h, not h.": {"reset": lambda r, h, u: h @ u},
             "the parts stand side by side in the order z, r, g.": {"order": "rzg"},
             "that is the candidate alone; z mixes it with the old state.":
             {"keep": lambda z, h, g: g},
             "the candidate is bent by tanh.": {"bends": (sigmoid, np.asarray)},
             "the candidate is bent by tanh, not by the sigmoid.": {"bends": (sigmoid, sigmoid)},
             "z and r are bent by the sigmoid, not by tanh.": {"bends": (np.tanh, np.tanh)}}


@exercise("06.4")
def gru_step(answer) -> str | None:
    """A function (x, h, kernel, recurrent) for one step of a gated recurrent unit."""
    rng = np.random.default_rng(6)
    for batch, features, units in ((2, 3, 3), (1, 2, 4)):
        shapes = ((batch, features), (batch, units), (features, 3 * units), (units, 3 * units))
        given = [rng.normal(size=shape) for shape in shapes]
        before = [array.copy() for array in given]
        result = np.asarray(call(answer, *given))
        if not all(map(np.array_equal, given, before)):
            return "It changed one of its inputs. Work on copies."
        told = f"For {batch} sequences, {features} features and {units} units"
        if result.shape != (batch, units) or result.dtype.kind != "f":
            raise Hint(f"{told} it returned {result.dtype} of shape {result.shape}. The new state "
                       f"is {(batch, units)}.")
        if not np.allclose(result, _gru(*before)):
            slip = (hint for hint, change in GRU_SLIPS.items()
                    if np.allclose(result, _gru(*before, **change)))
            return (f"{told} the numbers are not right: "
                    f"{next(slip, 'compare every equation with your lines.')}")
    return None
