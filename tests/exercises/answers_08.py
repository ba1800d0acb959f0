"""Answers to the exercises of chapter 08: worked ones, and wrong ones with what the hint says."""
import numpy as np


def top_k(p, k):
    kept = np.where(p >= np.sort(p)[-k], p, 0)
    return kept / kept.sum()


def top_k_in_place(p, k):
    p[np.argsort(p)[:-k]] = 0
    return p / p.sum()


def back_off(count, total, distinct, shorter):
    return shorter if total == 0 else (count + 3 * distinct * shorter) / (total + 3 * distinct)


def gumbel_pick(logits, temperature, noise):
    return int(np.argmax(logits if temperature == 0 else logits / temperature + noise))


def gumbel_pick_in_place(logits, temperature, noise):
    logits /= temperature or 1
    return np.argmax(logits + noise * (temperature > 0))


ANSWERS = {}
ANSWERS["08.1"] = (
    [60**4 * np.exp(-1.16), 4.06e6, np.exp(4 * (np.log(60) - 0.29))],
    [(60 * np.exp(-0.29), "one note"), (240 * np.exp(-0.29), "fourth power"),
     (60**4, "does not pay 0"), (np.exp(-1.16), "under the uniform guess"),
     (4 * (np.log(60) - 0.29), "exponential"), (123, "undo"),
     (1 / (60**4 * np.exp(-1.16)), "the other way round"), (60**4 * np.exp(1.16), "exp(-0.29)"),
     (60**4 / 2**1.16, "not with 2"), ([1, 2], "One number")])
ANSWERS["08.2"] = (
    [top_k, lambda p, k: (p * (p >= np.sort(p)[-k])).tolist() / np.sum(np.sort(p)[-k:])],
    [(top_k_in_place, "changed its input"),
     (lambda p, k: np.where(p >= np.sort(p)[-k], p, 0), "no longer 1"),
     (lambda p, k: np.sort(p)[-k:] / np.sort(p)[-k:].sum(), "they do not go"),
     (lambda p, k: p * (p <= np.sort(p)[k - 1]) / np.sort(p)[:k].sum(), "smallest"),
     (lambda p, k: (p >= np.sort(p)[-k]) / k, "proportions changed"),
     (lambda p, k: p * (np.arange(len(p)) < k), "largest"), (lambda p: p, "TypeError"),
     (0.5, "A function is asked for")])
ANSWERS["08.3"] = (
    [back_off, lambda n, t, d, q: (n + 3 * d * q + q * (t == 0)) / (t + 3 * d + (t == 0))],
    [(lambda n, t, d, q: (n + d * q) / (t + d) if t else q, "factor of 3"),
     (lambda n, t, d, q: n / t if t else q, "mixed in"),
     (lambda n, t, d, q: (n + 3 * d * q) / (t + 3 * d), "ZeroDivisionError"),
     (lambda n, t, d, q: n / (t + 3 * d) if t else q, "numerator"),
     (lambda n, t, d, q: n + d, "it should be"),
     (lambda n, t, d, q: (n + 3 * d * q) / t if t else q, "denominator"),
     (lambda n, t, d, q: 0.5 if t else 0, "it should be"),
     (lambda n, t, d, q: back_off(n, t, d, q) if t else 0, "where `total` is 0"),
     (lambda n, t, d, q: back_off(n, t, d, q) if t else np.nan, "where `total` is 0")])
ANSWERS["08.4"] = ([gumbel_pick, lambda z, t, noise: np.argmax(z + t * noise)],
                   [(gumbel_pick_in_place, "changed its input"),
                    (lambda z, t, noise: np.argmax(z), "it is greedy"),
                    (lambda z, t, noise: np.argmax(z / t + noise), "whatever the noise"),
                    (lambda z, t, noise: np.argmax(z + noise), "Divide the logits alone"),
                    (lambda z, t, noise: np.argmax((z + noise) / t) if t else np.argmax(z),
                     "Divide the logits alone"),
                    (lambda z, t, noise: np.argmax(z * t + noise) if t else np.argmax(z),
                     "do not multiply"), (lambda z, t, noise: z / (t or 1) + noise, "One index"),
                    (lambda z, t, noise: 0, "index of the largest"), (lambda z, t: 0, "TypeError")])
