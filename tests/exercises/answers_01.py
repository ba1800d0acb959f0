"""Answers to the exercises of chapter 01: worked ones, and wrong ones with what the hint says."""
import numpy as np


def alias(f, sr):
    return abs(f - sr * round(f / sr))


def alias_by_folding(f, sr):
    rest = f % sr
    return rest if rest <= sr / 2 else sr - rest


def two_tones(left=440, right=660, amplitude=0.5, seconds=1.0):
    t = np.arange(round(16000 * seconds)) / 16000
    return (amplitude * np.stack([np.sin(2 * np.pi * left * t), np.sin(2 * np.pi * right * t)],
                                 axis=1))


ANSWERS = {}
ANSWERS["01.1"] = (
    [31_752_000, 31_752_000.0],
    [(254_016_000, "Those are bits"), (15_876_000, "factor of 2 is missing"),
     (7_938_000, "one channel"), (529_200, "180 seconds"), (176_400, "one second"),
     (31.752, "megabytes"), (63_504_000, "too much"), (31_000_000, "Multiply"),
     ("31 MB", "One number")])
ANSWERS["01.2"] = (
    [alias, alias_by_folding],
    [(lambda f, sr: f % sr, "f = 7000 and sr = 8000 it returned 7000"),
     (lambda f, sr: sr - f, "fold again"),
     (lambda f, sr: f - sr * round(f / sr), "returned -1000. A frequency is not negative"),
     (lambda f, sr: min(f, abs(sr - f)), "f = 12500 and sr = 8000 it returned 4500"),
     (lambda f, sr: min(f, sr / 2), "It should be 1000"), (lambda f: f, "TypeError"),
     (1000, "A function is asked for"), (lambda f, sr: print(end=""), "returned None"),
     (lambda f, sr: f"{f} Hz", "One number")])
ANSWERS["01.3"] = (
    [14, 14.0],
    [(13, "80.0 dB. That is not enough"), (15, "1.76"), (13.83, "whole numbers"),
     (16, "Fewer are enough"), (28, "20 log10"), (0, "20 log10"), ([14], "One number")])
ANSWERS["01.4"] = (
    [two_tones(), two_tones().astype(np.float32), two_tones().tolist()],
    [(two_tones().T, "channels come first"), (two_tones(660, 440), "swapped"),
     (two_tones(440, 880), "880 Hz"), (two_tones(amplitude=1.0), "1.00 and 1.00"),
     (two_tones(seconds=2.0), "(32000, 2)"), (two_tones()[:, 0], "two axes"),
     ((two_tones() * 32767).astype(np.int16), "floats"), (np.zeros((16000, 2)), "0 Hz"),
     (two_tones() * np.nan, "NaN"), (two_tones() + 0.1 * two_tones(880, 880), "more in it"),
     (0.5 * np.sin(2 * np.pi * np.linspace(0, 1, 16000)[:, None] * [440, 660]), "np.linspace")])
