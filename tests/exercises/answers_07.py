"""Answers to the exercises of chapter 07: worked ones, and wrong ones with what the hint says."""
import numpy as np


def skill(said, last, target):
    return 1 - np.mean((said - target) ** 2) / np.mean((last - target) ** 2)


def skill_of_absolute_errors(said, last, target):
    return 1 - np.mean(np.abs(said - target)) / np.mean(np.abs(last - target))


def skill_in_place(said, last, target):
    said -= target
    return 1 - np.mean(said**2) / np.mean((last - target) ** 2)


ANSWERS = {}
ANSWERS["07.1"] = (
    [59, 59.0, np.int64(59)],
    [(58, "starts at frame 0"), (58.5, "whole"), (60, "one too many"), (62, "too late"),
     (15, "side by side"), (936, "every frame"), (1000, "Count the starts"), ("59", "One number")])
ANSWERS["07.2"] = (
    [[-2, 256], (-2.0, 256.0), np.array([-2, 256])],
    [([-10, 320], "likeliest"), ([10, 400], "Weigh"), ([2, 256], "sign"), ([-2, 16], "root"),
     ([-2, 0], "not: average"), ([22, 256], "likelier one"), ([0, 256], "the mean"),
     (-2, "Two numbers"), ([-2, "256"], "One number")])
ANSWERS["07.3"] = ([skill, lambda said, last,
                    target: 1 - np.sum((said - target) ** 2) / np.sum((last - target) ** 2)],
                   [(lambda said, last, target: 1 - skill(said, last, target), "1 - is missing"),
                    (lambda said, last, target: 1 - np.sqrt(1 - skill(said, last, target)),
                     "squared errors"), (skill_of_absolute_errors, "squared errors"),
                    (lambda said, last,
                     target: np.mean([skill(*rows) for rows in zip(said, last, target)]),
                     "divide then"), (lambda said, last,
                                      target: 1 - 1 / (1 - skill(said, last, target)),
                                      "on its head"), (lambda said, last,
                                                       target: max(0, skill(said, last, target)),
                                                       "It should be -3."),
                    (lambda said, last,
                     target: np.mean((last - target) ** 2) - np.mean((said - target) ** 2),
                     "It should be 0.75."), (lambda said, last, target: 1 - (said - target) ** 2,
                                             "One number"), (skill_in_place, "changed its input"),
                    (lambda said, last: 1.0, "TypeError"), (0.75, "A function is asked for"),
                    (lambda said, last, target: print(end=""), "returned None")])
ANSWERS["07.4"] = ([kind(["sample rate", "return_sequences", "softmax", "batch axis"])
                    for kind in (list, tuple, np.array)],
                   [(["batch axis", "return_sequences", "softmax", "sample rate"], "(a)"),
                    (["sample rate", "batch axis", "softmax", "return_sequences"], "(b)"),
                    (["sample rate", "return_sequences", "batch axis", "softmax"], "(c)"),
                    (["softmax"] * 4, "each once"), ("softmax", "four names")])
