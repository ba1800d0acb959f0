"""Answers to the exercises of chapter 02: worked ones, and wrong ones with what the hint says."""
import numpy as np


def to_peak(y, peak):
    return y * (peak / np.abs(y).max()) if y.any() else y


def to_peak_in_place(y, peak):
    y *= peak / max(np.abs(y).max(), 1e-9)
    return y


def to_peak_by_the_highest(y, peak):
    return y * (peak / max(y.max(), 1e-9))


def to_peak_of_silence(y, peak):
    with np.errstate(invalid="ignore"):
        return y * (peak / np.float64(np.abs(y).max())) if y.any() else y / 0.0


def leaks(groups, train, test):
    return set(groups[train].tolist()) & set(groups[test].tolist())


def leaks_of_indices(groups, train, test):
    return set(train.tolist()) & set(test.tolist())


def leaks_as_a_list(groups, train, test):
    return sorted(leaks(groups, train, test))


def leaks_that_join(groups, train, test):
    return set(groups[train].tolist()) | set(groups[test].tolist())


ANSWERS = {}
ANSWERS["02.1"] = (
    [41, 41.0, np.int64(41)],
    [(40, "One is missing"), (44, "first window already"), (43, "rounded down"),
     (11, "without overlap"), (10, "whole windows"), (31, "Here are 22050"), (40.07, "is whole"),
     (42, "every hop"), ("41", "'41'")])
ANSWERS["02.2"] = (
    [12 * np.log2(0.8), -3.86, -3.9, np.float32(-3.863)],
    [(3.86, "3.86"), (12 * np.log(0.8), "natural"), (-2.4, "-2.4"), (np.log2(0.8), "octaves"),
     (-5, "-5"), ([-3.86], "[-3.86]")])
ANSWERS["02.3"] = (
    [to_peak, lambda y, peak: y / max(np.abs(y).max(), 1e-12) * peak],
    [(to_peak_in_place, "changed its input"), (to_peak_by_the_highest, "largest absolute"),
     (to_peak_of_silence, "Silence became"),
     (lambda y, peak: np.clip(y, -peak, peak), "largest absolute"), (0.9, "You gave 0.9")])
ANSWERS["02.4"] = (
    [leaks, lambda g, a, b: frozenset(leaks(g, a, b))],
    [(leaks_of_indices, "set()"), (leaks_as_a_list, "[7]"), (leaks_that_join, "found {3, 5, 7, 9}"),
     (lambda g, a, b: len(leaks(g, a, b)), "returned 1"), ({7}, "You gave {7}")])
