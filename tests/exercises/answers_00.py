"""Answers to the exercises of chapter 00: worked ones, and wrong ones with what the hint says."""
import numpy as np


def shift(pitches, semitones):
    return np.where(pitches < 0, pitches, pitches + semitones)


def shift_row_by_row(pitches, semitones):
    return [[p if p == -1 else p + semitones for p in row] for row in pitches]


def shift_that_moves_rests(pitches, semitones):
    return pitches + semitones


def shift_in_place(pitches, semitones):
    pitches[pitches >= 0] += semitones
    return pitches


def shift_downwards(pitches, semitones):
    return np.where(pitches < 0, pitches, pitches - semitones)


def shift_that_flattens(pitches, semitones):
    return [int(p) + semitones for p in pitches.ravel() if p >= 0]


def shift_without_return(pitches, semitones):
    pitches = pitches + semitones


ANSWERS = {}
ANSWERS["00.1"] = (
    [160, 160.0, np.int64(160), np.array(160.0)],
    [(40, "40"), (9600, "9600"), (2400, "2400"), (640, "640"), (161, "161"), (True, "True"),
     ("160", "'160'"), (np.nan, "nan"), ([160, 1], "[160, 1]"), (np.arange(50), "shape (50,)")])
ANSWERS["00.2"] = (
    [[72, 67, 64, 48], [76, 64, 55, 36], (76, 67, 60, 60), np.array([79, 64, 60, 48])],
    [([48, 64, 67, 72], "cross"), ([72, 67, 60, 48], "no E"), ([72, 67, 63, 48], "[63]"),
     ([72, 67, 60, 52], "bass sings E"), ([84, 67, 64, 48], "[84]"), ([72, 67, 64], "[72, 67, 64]"),
     ([72.5, 67, 64, 48], "72.5"), ("CEGC", "'CEGC'")])
ANSWERS["00.3"] = (
    [shift, shift_row_by_row],
    [(shift_that_moves_rests, "moved the rests"), (shift_in_place, "changed its input"),
     (shift_downwards, "[[70 65 62 46]"), (shift_that_flattens, "shape"),
     (shift_without_return, "returned None"), (lambda pitches: pitches, "TypeError"),
     (12, "You gave 12")])
