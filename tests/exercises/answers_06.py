"""Answers to the exercises of chapter 06: worked ones, and wrong ones with what the hint says."""
import numpy as np

from course_utils.by_hand.recurrence import sigmoid


def gru_step(x, h, kernel, recurrent, order="zrg", gate=sigmoid, bend=np.tanh):
    x_part = dict(zip(order, np.split(x @ kernel, 3, axis=-1)))
    u = dict(zip(order, np.split(recurrent, 3, axis=-1)))
    z, r = (gate(x_part[name] + h @ u[name]) for name in "zr")
    return z * h + (1 - z) * bend(x_part["g"] + (r * h) @ u["g"])


def gru_with_z_upside_down(x, h, kernel, recurrent):
    z = sigmoid(np.split(x @ kernel, 3, axis=-1)[0] + h @ np.split(recurrent, 3, axis=-1)[0])
    candidate = (gru_step(x, h, kernel, recurrent) - z * h) / (1 - z)
    return (1 - z) * h + z * candidate


def gru_with_late_reset(x, h, kernel, recurrent):
    (x_z, x_r, x_g), (h_z, h_r, h_g) = (np.split(a, 3, axis=-1)
                                        for a in (x @ kernel, h @ recurrent))
    z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
    return z * h + (1 - z) * np.tanh(x_g + r * h_g)


def gru_without_reset(x, h, kernel, recurrent):
    z, _, g = np.split(x @ kernel + h @ recurrent, 3, axis=-1)
    return sigmoid(z) * h + (1 - sigmoid(z)) * np.tanh(g)


def gru_in_place(x, h, kernel, recurrent):
    h[:] = gru_step(x, h, kernel, recurrent)
    return h


def delay(kernel=((1, 0),), recurrent=((0, 1), (0, 0)), bias=(0, 0)):
    return [np.array(kernel, float), np.array(recurrent, float), np.array(bias, float)]


ANSWERS = {}
ANSWERS["06.1"] = (
    [98_816, 98_816.0, np.int64(98_816)],
    [(98_304, "biases"), (24_704, "simple RNN"), (74_112, "three gates"),
     (33_280, "recurrent kernels"), (66_048, "kernels for the inputs"), (49_408, "not 64"),
     (100_000, "four parts"), ("98816", "One number")])
ANSWERS["06.2"] = (
    [3.05, np.log(0.01**0.01 / (1 - 0.01**0.01)), np.float32(3.05)],
    [(0.955, "how open"), (0.722, "Undo"), (1.0, "of the gradient is left"), (-3.05, "0.0452"),
     (4.6, "0.368"), (3.06, "0.0102"), (1e6, "not 0.01"), ([3.05], "One number")])
ANSWERS["06.3"] = ([delay(), tuple(delay()), [array.tolist() for array in delay()],
                    delay(recurrent=((0.01, 1), (0.01, 0)))],
                   [(delay(recurrent=((0, 0), (1, 0))), "row is where"),
                    (delay(kernel=((0, 1),), recurrent=((0, 0), (1, 0))), "swapped"),
                    (delay(kernel=((1, 1),)), "neither the input"),
                    (delay(recurrent=((0, 0), (0, 0))), "unit 1"),
                    (delay(recurrent=((0, 0), (0, 1))), "row is where"),
                    (delay(recurrent=((0, 1), (0, 1))), "nor itself"),
                    (delay(bias=(0, 1)), "unit 1"), (delay(kernel=((1,), (0,))), "(2, 1)"),
                    (delay()[:2], "three arrays"), (delay(kernel=((np.nan, 0),)), "NaN"),
                    (delay(kernel=((2, 0),)), "read nothing else"), (3, "three arrays")])
ANSWERS["06.4"] = (
    [gru_step, lambda x, h, kernel, recurrent: gru_step(x, h, kernel, recurrent)],
    [(gru_with_z_upside_down, "swapped"), (gru_with_late_reset, "before it is multiplied"),
     (gru_without_reset, "no effect"), (lambda *a: gru_step(*a, order="rzg"), "order z, r, g"),
     (lambda *a: gru_step(*a, bend=np.asarray), "candidate is bent by tanh."),
     (lambda *a: gru_step(*a, bend=sigmoid), "not by the sigmoid"),
     (lambda *a: gru_step(*a, gate=np.tanh), "not by tanh"),
     (gru_in_place, "changed one of its inputs"), (lambda x, h, k, u: h @ u, "shape (2, 9)"),
     (lambda x, h, k, u: h, "compare every equation"), (lambda x, h: h, "TypeError"),
     (5, "You gave 5")])
