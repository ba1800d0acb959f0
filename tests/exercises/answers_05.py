"""Answers to the exercises of chapter 05: worked ones, and wrong ones with what the hint says."""
import numpy as np


def balanced(played, heard):
    return np.mean([(heard[played == k] == k).mean() for k in np.unique(played)])


def balanced_by_heard(played, heard):
    return np.mean([(played[heard == k] == k).mean() for k in np.unique(heard)])


def relative(level):
    return level - level.max(axis=(1, 2), keepdims=True)


def relative_in_place(level):
    level -= level.max(axis=(1, 2), keepdims=True)
    return level


ANSWERS = {}
ANSWERS["05.1"] = (
    [16256, 16256.0, np.int64(16256)],
    [(16384, "Without padding"), (254, "64 filters answer"), (8128, "not 32"),
     (32512, "second pooling"), (65024, "both poolings"), (130056, "weights"),
     (1024, "Follow the length"), ("16256", "One number")])
ANSWERS["05.2"] = (
    [12, 12.0],
    [(5, "first layer"), (6, "first pooling"), (8, "two samples"), (10, "before the second"),
     (14, "not four"), (1024, "far less"), (7, "Go backwards"), ([12], "One number")])
ANSWERS["05.3"] = (
    [balanced],
    [(lambda played, heard: (played == heard).mean(), "large classes"),
     (balanced_by_heard, "Go by what was played"),
     (lambda played, heard: 1.0, "returned 1, not 0.75"),
     (lambda played, heard: balanced(np.sort(played), heard), "not 0.625"),
     (lambda played, heard: [1.0, 0.5], "One number is asked for, not [1.0, 0.5]"),
     (lambda played, heard: np.float64("nan"), "np.unique(played)"),
     (balanced(np.zeros(1), np.zeros(1)), "A function"), (lambda played: 0, "TypeError")])
ANSWERS["05.4"] = (
    [relative],
    [(relative_in_place, "changed its input"), (lambda level: level - level.max(), "whole batch"),
     (lambda level: level - level.max(axis=2, keepdims=True), "attack and decay"),
     (lambda level: level - level.max(axis=1, keepdims=True), "its colour"),
     (lambda level: level.max(axis=(1, 2)), "shape"), (lambda level: level - level.mean(), "0 dB"),
     (lambda level: level / level.max(axis=(1, 2), keepdims=True), "do not divide"),
     (lambda level: np.maximum(relative(level), -60), "cuts off what is soft, at -60 dB")])
