"""Answers to the exercises of chapter 04: worked ones, and wrong ones with what the hint says."""
import numpy as np


def mean_pool_backward(dy, x, size):
    dx = np.zeros(x.shape)
    dx[:, : size * dy.shape[1]] = np.repeat(dy, size, axis=1) / size
    return dx


def mean_pool_backward_by_loops(dy, x, size):
    dx = np.zeros_like(x)
    for t in range(dy.shape[1]):
        for k in range(size):
            dx[:, size * t + k] = dy[:, t] / size
    return dx


def mean_pool_backward_undivided(dy, x, size):
    return size * mean_pool_backward(dy, x, size)


def mean_pool_backward_without_rest(dy, x, size):
    return np.repeat(dy, size, axis=1) / size


def mean_pool_backward_with_rest(dy, x, size):
    return (np.pad(np.repeat(dy, size, axis=1),
                   ((0, 0), (0, x.shape[1] - size * dy.shape[1]), (0, 0)), mode="edge") / size)


def mean_pool_backward_tiled(dy, x, size):
    dx = np.zeros(x.shape)
    dx[:, : size * dy.shape[1]] = np.tile(dy, (1, size, 1)) / size
    return dx


def mean_pool_backward_to_the_first(dy, x, size):
    dx = np.zeros(x.shape)
    dx[:, : size * dy.shape[1] : size] = dy
    return dx


def mean_pool_backward_in_place(dy, x, size):
    x[:] = mean_pool_backward(dy, x, size)
    return x


ANSWERS = {}
ANSWERS["04.1"] = (
    [254, 254.0, np.int64(254)],
    [(256, "minus one at the ends"), (255, "layer by layer"), (253, "width minus one"),
     (508, "before the last"), (16256, "How many steps"), (252, "T // 2"), ("254", "One number"),
     ((254, 64), "One number")])
ANSWERS["04.2"] = (
    [6400, 5 * 32 + 32 + 3 * 32 * 64 + 64],
    [(6304, "biases are missing"), (448, "all 32 channels"), (6208, "second layer alone"),
     (192, "first layer alone"), (64, "a bias a filter"), ([192, 6208], "One number")])
ANSWERS["04.3"] = (
    [np.ones(16) / 16, [0.5, 0, 0, 0, 0, 0, 0, 0, 0.5], np.ones(32) / 32, -np.ones(16) / 16],
    [(np.ones(16), "16.00 at 0 Hz and 0.00"), (np.ones(8) / 8, "0.64 at 1000 Hz"),
     (np.array([-1, 1]), "0.00 at 0 Hz"), (np.ones((1, 16)) / 16, "one axis"),
     (np.array([1.0]), "two at least"), (16, "one axis"), (np.full(16, np.nan), "finite"),
     (np.array([0.5, 0.5]), "two samples cancel")])
ANSWERS["04.4"] = (
    [mean_pool_backward, mean_pool_backward_by_loops],
    [(mean_pool_backward_undivided, "every step gets all of dy"),
     (mean_pool_backward_without_rest, "shape (2, 6, 3)"),
     (mean_pool_backward_with_rest, "left out get a gradient"),
     (mean_pool_backward_tiled, "mixed up"), (mean_pool_backward_to_the_first, "max-pooling"),
     (mean_pool_backward_in_place, "changed its input"),
     (lambda dy, x, size: dy / size, "shape (2, 3, 3)"), (lambda dy, x: x, "TypeError"),
     (lambda dy, x, size: x, "in the first channel"), (2, "You gave 2")])
