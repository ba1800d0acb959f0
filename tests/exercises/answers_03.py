"""Answers to the exercises of chapter 03: worked ones, and wrong ones with what the hint says."""
import numpy as np
import scipy.fft
import scipy.special
import scipy.stats

from course_utils.sound.features import dct_matrix


def smooth(log_mel, keep):
    rows = dct_matrix(log_mel.shape[1])[:keep]
    return log_mel @ rows.T @ rows


def smooth_with_scipy(log_mel, keep):
    coefficients = scipy.fft.dct(log_mel, norm="ortho")
    coefficients[:, keep:] = 0
    return scipy.fft.idct(coefficients, norm="ortho")


def smooth_to_coefficients(log_mel, keep):
    return log_mel @ dct_matrix(log_mel.shape[1])[:keep].T


def smooth_of_64_bands(log_mel, keep):
    rows = dct_matrix(64)[:keep]
    return log_mel @ rows.T @ rows


def smooth_with_the_last(log_mel, keep):
    rows = dct_matrix(log_mel.shape[1])[-keep:]
    return log_mel @ rows.T @ rows


def smooth_in_place(log_mel, keep):
    log_mel[:] = smooth(log_mel, keep)
    return log_mel


def smooth_along_time(log_mel, keep):
    return smooth(log_mel.T, keep).T


def smooth_without_scale(log_mel, keep):
    coefficients = scipy.fft.dct(log_mel)
    coefficients[:, keep:] = 0
    return scipy.fft.idct(coefficients, norm="ortho")


ANSWERS = {}
ANSWERS["03.1"] = (
    [431, 431.0, np.int64(431)],
    [(430, "first frame"), (430.66, "whole numbers"), (427, "without zeros"),
     (432, "last whole hop"), (108, "after a hop"), (44, "Ten"), (862, "whole hops"),
     ("431", "One number"), (np.ones((431, 1025)), "shape (431, 1025)")])
ANSWERS["03.2"] = (
    [16384, 2.0**14],
    [(8192, "1.28 of its bins"), (32768, "smaller one"), (12800, "power of two"),
     (1024, "0.16 of its bins"), (0, "power of two"), (-16384, "power of two"),
     ([16384], "One number")])
ANSWERS["03.3"] = ([smooth, smooth_with_scipy],
                   [(smooth_to_coefficients, "returned the coefficients"),
                    (smooth_of_64_bands, "ValueError"), (smooth_with_the_last, "kept the last"),
                    (smooth_in_place, "changed its input"), (smooth_along_time, "along time"),
                    (smooth_without_scale, "not what the first rows"),
                    (lambda log_mel, keep: log_mel, "changed nothing"),
                    (lambda log_mel, keep: log_mel[:, :keep], "coefficients"),
                    (lambda log_mel, keep: log_mel - smooth(log_mel, keep), "dropped the first"),
                    (lambda log_mel,
                     keep: scipy.fft.dct(log_mel, norm="ortho")
                     * (np.arange(log_mel.shape[1]) < keep), "set to 0"),
                    (lambda log_mel, keep: print(end=""), "returned None"), (13, "You gave 13")])
ANSWERS["03.4"] = (
    [["log-mel", "chroma", "STFT", "MFCC"], np.array(["log-mel", "chroma", "STFT", "MFCC"])],
    [(["MFCC", "chroma", "STFT", "log-mel"], "(a)"), (["log-mel", "STFT", "chroma", "MFCC"], "(b)"),
     (["log-mel", "log-mel", "STFT", "MFCC"], "each once"),
     (["chroma", "log-mel", "STFT", "MFCC"], "(a)"), (["log-mel", "chroma", "MFCC", "STFT"], "(c)"),
     ("STFT", "four names"), ([1, 2, 3, 4], "four names")])
