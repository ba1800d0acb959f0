"""Answers to the exercises of chapter 11: worked ones, and wrong ones with what the hint says."""
import numpy as np


def odd_only(frames):
    spectrum = np.fft.rfft(frames)
    spectrum[..., ::2] = 0
    return np.fft.irfft(spectrum)


def odd_only_in_place(frames):
    frames[...] = odd_only(frames)
    return frames


def keep_harmonics(kept):
    def keep(frames):
        spectrum = np.fft.rfft(frames)
        return np.fft.irfft(np.where(kept(np.arange(513)), spectrum, 0))

    return keep


def odd_along_the_first_axis(frames):
    spectrum = np.fft.rfft(frames)
    spectrum[::2] = 0
    return np.fft.irfft(spectrum)


def cross_fade(a, b, share):
    return 20 * np.log10((1 - share) * 10 ** (a / 20) + share * 10 ** (b / 20))


def cross_fade_to_nothing(a, b, share):
    mixed = cross_fade(a, b, share)
    return np.where(mixed < -89.9, -np.inf, mixed)


ANSWERS = {}
ANSWERS["11.1"] = (
    [19, 19.0, np.int64(19)],
    [(20, "exactly half"), (64, "25,600"), (40, "Half of it"), (39, "Half of it"), (45, "removed"),
     (18, "Count those"), ("19", "One number"), (np.nan, "One number")])
ANSWERS["11.2"] = (
    [odd_only, keep_harmonics(lambda k: k % 2 == 1)],
    [(keep_harmonics(lambda k: k % 2 == 0), "even harmonics are left"),
     (odd_only_in_place, "changed its input"),
     (keep_harmonics(lambda k: (k % 2 == 1) | (k == 0)), "constant is still there"),
     (lambda x: np.fft.rfft(x), "irfft"), (keep_harmonics(lambda k: k == 1), "Only the first"),
     (lambda x: x, "Nothing was removed"), (lambda x: x[..., ::2], "shape"),
     (lambda x: odd_only(x) / 2, "other harmonics"),
     (keep_harmonics(lambda k: k > 0), "Only the constant"),
     (odd_along_the_first_axis, "whole frames"), (3, "A function")])
ANSWERS["11.3"] = (
    [cross_fade, lambda a, b, s: np.maximum(cross_fade(a, b, s), -90)],
    [(lambda a, b, s: (1 - s) * a + s * b, "mixes decibels"),
     (lambda a, b, s: cross_fade(a, b, 1 - s), "Share 0"),
     (lambda a, b, s: 10 * np.log10((1 - s) * 10 ** (a / 10) + s * 10 ** (b / 10)), "mixes powers"),
     (lambda a, b, s: 10 ** (cross_fade(a, b, s) / 20), "Those are amplitudes"),
     (lambda a, b, s: 20 * np.log10(10 ** (a / 20) + 10 ** (b / 20)), "Both count"),
     (lambda a, b, s: 20 * np.log(10 ** (cross_fade(a, b, s) / 20)), "natural"),
     (lambda a, b, s: cross_fade(a, b, s) / 2, "taken for powers"),
     (cross_fade_to_nothing, "be -90.00, silence"), (lambda a, b, s: a + 1, "it should be"),
     (lambda a, b, s: 0.0, "shape"), (7, "A function")])
ANSWERS["11.4"] = (
    [lambda f, g: 1200 * np.log2(g / f), lambda f, g: 1200 * (np.log(g) - np.log(f)) / np.log(2)],
    [(lambda f, g: 1200 * np.log2(f / g), "from f up"),
     (lambda f, g: 12 * np.log2(g / f), "semitones"), (lambda f, g: np.log2(g / f), "octaves"),
     (lambda f, g: 1200 * np.log(g / f), "natural"),
     (lambda f, g: abs(1200 * np.log2(g / f)), "negative"),
     (lambda f, g: g - f, "difference in Hz"), (lambda f, g: 50.0, "It should be"),
     (100, "A function")])
