"""Answers to the exercises of chapter 09: worked ones, and wrong ones with what the hint says."""
import numpy as np
import scipy.fft
import scipy.special
import scipy.stats

from course_utils.by_hand.recurrence import sigmoid


def kl(p, q):
    return (p[p > 0] * np.log(p[p > 0] / q[p > 0])).sum()


def jsd(p, q):
    return (kl(p, (p + q) / 2) + kl(q, (p + q) / 2)) / 2


def jsd_with_nan(p, q):
    with np.errstate(all="ignore"):
        return ((p * np.log(2 * p / (p + q))).sum() + (q * np.log(2 * q / (p + q))).sum()) / 2


def saturating_backward(logits):
    return -sigmoid(logits) / len(logits)


def sand(x, y):
    return np.abs(np.sort(x) - np.sort(y)).mean()


def sand_in_place(x, y):
    x.sort()
    y.sort()
    return np.abs(x - y).mean()


ANSWERS = {}
ANSWERS["09.1"] = (
    [2 / 3, 0.667, np.float32(2 / 3)],
    [(1 / 3, "fake"), (2, "how many times"), (0.5, "equally dense"), (0.8, "density of real"),
     (1.2, "together"), (0.9, "Divide"), ("2/3", "One number"), (np.nan, "One number")])
ANSWERS["09.2"] = (
    [jsd, lambda p, q: float(jsd(p, q))],
    [(jsd_with_nan, "nan"), (kl, "Kullback-Leibler"), (lambda p, q: 2 * jsd(p, q), "twice"),
     (lambda p, q: jsd(p, q) / np.log(2), "bits"), (lambda p, q: kl(p, (p + q) / 2), "part of q"),
     (lambda p, q: kl(p, (p + q) / 2) / 2, "first half"),
     (lambda p, q: np.sqrt(jsd(p, q)), "square root"),
     (lambda p, q: 2 * jsd(p, q) - np.log(4), "value of the game"),
     (lambda p, q: 0.3, "It should be"), (lambda p, q: p * np.log(2 * p / (p + q)), "Add them up"),
     (lambda p: p, "TypeError"), (0.2, "A function")])
ANSWERS["09.3"] = (
    [saturating_backward, lambda a: -1 / (1 + np.exp(-a)) / a.size],
    [(lambda a: (sigmoid(a) - 1) / len(a), "non-saturating"), (lambda a: -sigmoid(a), "batch size"),
     (lambda a: sigmoid(a) / len(a), "sign"),
     (lambda a: np.log(1 - sigmoid(a)), "loss of each logit"),
     (lambda a: -sigmoid(a) * (1 - sigmoid(a)) / len(a), "logarithm is missing"),
     (lambda a: -1 / (1 - sigmoid(a)) / len(a), "chain rule"),
     (lambda a: -sigmoid(a).mean(), "shape ()"), (lambda a: a, "Derive"),
     (lambda a: print(end=""), "returned None"), (-0.5, "A function")])
ANSWERS["09.4"] = (
    [sand, lambda x, y: scipy.stats.wasserstein_distance(x, y)],
    [(lambda x, y: np.abs(x - y).mean(), "sort both"),
     (lambda x, y: abs(x.mean() - y.mean()), "cancel"),
     (lambda x, y: np.abs(np.sort(x) - np.sort(y)).sum(), "mean is asked"),
     (sand_in_place, "changed its inputs"),
     (lambda x, y: ((np.sort(x) - np.sort(y)) ** 2).mean(), "squared"),
     (lambda x, y: np.sqrt(((np.sort(x) - np.sort(y)) ** 2).mean()), "root"),
     (lambda x, y: np.abs(np.sort(x) - y).mean(), "one of the lists"),
     (lambda x, y: 1, "It should be"),
     (lambda x, y: (np.sort(x) - np.sort(y)).mean(), "absolute values"),
     (lambda x, y: np.abs(x - y), "One number"), (lambda x, y: print(end=""), "returned None")])
