"""Answers to the exercises of chapter 12: worked ones, and wrong ones with what the hint says."""
import numpy as np


def mean_motion(pitches):
    return np.abs(np.diff(pitches, axis=0)).mean()


def mean_motion_in_place(pitches):
    pitches -= pitches.min()
    return mean_motion(pitches)


def chord_span(pitches):
    return float((pitches[:, 0] - pitches[:, 3]).mean())


def rule_keeping_bar(*chords, steps=4, bars=8):
    bar = np.repeat(np.array(chords), steps, axis=0)
    return np.resize(bar, (16 * bars, 4))


TONIC, FOURTH_UP = [72, 67, 64, 48], [69, 65, 60, 53]


ANSWERS = {}
ANSWERS["12.1"] = (
    [[1, 1, 3, 1], np.array([1, 1, 3, 1]), (1, 1, 3.0, 1)],
    [([1, 2, 4, 3], "not surely behind"), ([1, 1, 4, 1], "overlaps C's"),
     ([1, 1, 2, 1], "Two are before C"), ([1, 1, 1, 1], "C begins at 0.74"),
     ([1, 1, 3, 2], "surely before D"), ([1, 1, 3], "four ranks"),
     ([4, 3, 1, 2], "count the others"), (["A", "B", "C", "D"], "One number"), (1, "four ranks")])
ANSWERS["12.2"] = (
    [4.2, np.float64(4.2), 4.2000001],
    [(160, "slope"), (5.0, "still holds"), (5.8, "subtracted"), (8.2, "at 0 pieces"),
     (2.6, "Twice"), (6.2, "mean"), (0, "Does the distance"), (3, "Write d(n)"),
     ("4.2", "One number")])
ANSWERS["12.3"] = (
    [mean_motion, lambda pitches: -np.abs(np.diff(pitches[:, 0])).max() - mean_motion(pitches)],
    [(chord_span, "Shuffling never"), (lambda pitches: pitches.mean(), "three semitones higher"),
     (mean_motion_in_place, "changed its input"), (lambda pitches: 1.0, "Shuffling never"),
     (lambda pitches: pitches[-1, 3] - pitches[0, 3], "in one direction"),
     (lambda pitches: pitches, "One number"), (lambda a, b: 1, "TypeError"), (0.5, "A function")])
ANSWERS["12.4"] = (
    [rule_keeping_bar(TONIC, FOURTH_UP), rule_keeping_bar(TONIC, FOURTH_UP).astype(float)],
    [(rule_keeping_bar(TONIC), "moves a quarter"),
     (rule_keeping_bar([84, 67, 64, 48], FOURTH_UP), "out of a voice's range"),
     (rule_keeping_bar([64, 67, 60, 48], FOURTH_UP), "cross"),
     (rule_keeping_bar(TONIC, [73, 66, 61, 54]), "one scale"),
     (rule_keeping_bar([72, 67, 64, 48], [71, 67, 65, 50]), "dissonant"),
     (rule_keeping_bar([72, 67, 64, 48], [74, 69, 65, 50]), "parallel"),
     (rule_keeping_bar(TONIC, FOURTH_UP, TONIC), "repeat its first bar"),
     (rule_keeping_bar(TONIC, FOURTH_UP)[:64], "shape (128, 4)"),
     (rule_keeping_bar(TONIC, FOURTH_UP) - 60, "from 0 to 127"),
     (rule_keeping_bar(TONIC, FOURTH_UP) + 0.5, "whole numbers"), (5, "shape (128, 4)")])
