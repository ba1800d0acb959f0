"""Answers to the exercises of chapter 13: worked ones, and wrong ones with what the hint says."""
import math

import numpy as np

from course_utils.listening import analysis


def listeners_needed(p, each):
    return math.ceil(analysis.trials_needed(p) / each)


def listeners_from_the_first_trial_that_suffices(p, each):
    return math.ceil(next(n for n in range(1, 10_000) if analysis.power(n, p) >= 0.8) / each)


def merged(rows):
    seen, kept, aside = set(), [], []
    for row in rows:
        (aside if row[:2] in seen else kept).append(row)
        seen.add(row[:2])
    return kept, aside


def merged_with_the_last(rows):
    last = {row[:2]: row for row in rows}
    kept = list(last.values())
    aside = list(rows)
    for row in kept:
        aside.remove(row)
    return kept, aside


def merged_by_value(rows):
    kept = list(dict.fromkeys(rows))
    aside = list(rows)
    for row in kept:
        aside.remove(row)
    return kept, aside


def merged_in_place(rows):
    kept, aside = merged(rows)
    rows[:] = kept
    return kept, aside


def merged_by_code(rows):
    first = {}
    for row in rows:
        first.setdefault(row[0], row)
    kept = list(first.values())
    return kept, [row for k, row in enumerate(rows) if row not in kept or rows.index(row) < k]


ANSWERS = {}
ANSWERS["13.1"] = ([["loudness", "order", "blinding", "independence"],
                    ("loudness", "order", "blinding", "independence"),
                    np.array(["loudness", "order", "blinding", "independence"])],
                   [(["order", "loudness", "blinding", "independence"], "(a)"),
                    (["loudness", "independence", "blinding", "order"], "(b)"),
                    (["loudness", "order", "independence", "blinding"], "(c)"),
                    (["loudness"] * 4, "each once"), (["loudness", "order"], "four names"),
                    ("loudness", "four names"), (4, "four names")])
ANSWERS["13.2"] = ([[False, True, True, True], (False, True, True, True),
                    list(np.array([0.6, 0.5, 0.65, 0.7]) < [0.5, 0.6, 0.68, 0.8]),
                    np.array([False, True, True, True])],
                   [([True, True, True, True], "(a)"), ([False, False, True, True], "(b)"),
                    ([False, True, False, True], "(c)"), ([False, True, True, False], "330"),
                    ([0, 1, 1, 1], "True or False"), ([True], "four values"),
                    (True, "four values")])
ANSWERS["13.3"] = (
    [listeners_needed, lambda p, each: -(-analysis.trials_needed(p) // each)],
    [(lambda p, each: analysis.trials_needed(p), "number of trials"),
     (lambda p, each: analysis.trials_needed(p) / each, "part of a listener"),
     (lambda p, each: analysis.trials_needed(p) // each, "Round up"),
     (listeners_from_the_first_trial_that_suffices, "dips below"),
     (lambda p, each: 10, "Ask listening_analysis"), (lambda p: 3, "TypeError"),
     (6, "A function is asked for"), (lambda p, each: "six", "One number")])
ANSWERS["13.4"] = (
    [merged, lambda rows: [list(part) for part in merged(rows)]],
    [(lambda rows: merged(rows)[0], "Two lists"), (lambda rows: (merged(rows)[0], []), "came out"),
     (merged_with_the_last, "first answer"), (merged_by_value, "twice"),
     (merged_in_place, "changed the list"), (merged_by_code, "Too much"),
     (lambda rows: (merged(rows)[0], merged(rows)[1][::-1]), "order in which they came"),
     (lambda rows: (merged(rows)[0][::-1], merged(rows)[1]), "keep the order"),
     (lambda rows: print(end=""), "returned None"), ([], "A function is asked for")])
