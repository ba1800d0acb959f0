"""Answers to the exercises of chapter 10: worked ones, and wrong ones with what the hint says."""
import numpy as np
import scipy.fft
import scipy.special
import scipy.stats


def through(dy, logits):
    soft = np.exp(logits - logits.max())
    soft /= soft.sum()
    return soft * (dy - soft @ dy)


def differing(pairs):
    notes = pairs.reshape(len(pairs), -1)
    apart = (notes[:, None] != notes[None]).mean(axis=2)
    return apart.sum() / (len(pairs) * (len(pairs) - 1))


def nearest_bar(bar, known):
    return max(np.unique(bar - other, return_counts=True)[1].max() / bar.size for other in known)


ANSWERS = {}
ANSWERS["10.1"] = (
    [64 * np.log10(48), 107.6, np.float64(107.6)],
    [(64 * np.log(48), "base 10"), (64 * np.log2(48), "bits"),
     (48 * np.log10(64), "other way round"), (np.log10(64 * 48), "multiply"),
     (16 * np.log10(48), "four"), (4 * np.log10(48), "16"), (107, "16 times 4"),
     (48**64, "too long"), (48.0**64, "too long"), ([107.6], "One number")])
ANSWERS["10.2"] = (
    [through, lambda dy, a: scipy.special.softmax(a) * (dy - np.dot(scipy.special.softmax(a), dy))],
    [(lambda dy, a: dy, "as it is"),
     (lambda dy, a: scipy.special.softmax(a) * dy, "weighted by s, away"),
     (lambda dy, a: dy - scipy.special.softmax(a) @ dy, "factor s"),
     (lambda dy, a: scipy.special.softmax(a) * (dy - dy.mean()), "weighted by s"),
     (lambda dy, a: scipy.special.softmax(a), "choice itself"),
     (lambda dy, a: np.zeros(len(a)), "argmax"), (lambda dy, a: -through(dy, a), "sign"),
     (lambda dy, a: through(dy, a).sum(), "shape ()"),
     (lambda dy, a: 2 * through(dy, a), "It should be"),
     (lambda dy, a: print(end=""), "returned None")])
ANSWERS["10.3"] = (
    [differing,
     lambda p: np.mean([np.mean(p[i] != p[j]) for i in range(len(p)) for j in range(len(p))
                        if i != j])],
    [(lambda p: np.mean([np.mean(a != b) for a in p for b in p]), "itself"),
     (lambda p: 1 - differing(p), "agree"), (lambda p: np.mean(p[1:] != p[:-1]), "neighbours"),
     (lambda p: differing(p) * p[0].size, "Divide"),
     (lambda p: len({a.tobytes() for a in p}) / len(p), "different grids"),
     (lambda p: 0.9, "It should be"),
     (lambda p: np.mean([np.abs(a - b).mean() for k, a in enumerate(p) for b in p[:k]]),
      "semitones"), (lambda p: differing(p) * len(p) * (len(p) - 1) / 2, "sum over all pairs"),
     (lambda p: p != p[0], "One number"),
     (
    lambda p: np.mean([np.mean(a != b) for k, a in enumerate(p) for b in p[:k] if (a != b).any()]),
    "happen to be")])
ANSWERS["10.4"] = ([nearest_bar, lambda bar,
                    known: max(max(np.mean(bar == k + s) for s in range(-40, 41)) for k in known)],
                   [(lambda bar, known: max(np.mean(bar == k) for k in known),
                     "every transposition"), (lambda bar, known: nearest_bar(bar, known[:1]),
                                              "first known"),
                    (lambda bar, known: np.mean([nearest_bar(bar, [k]) for k in known]),
                     "mean over"), (lambda bar, known: min(nearest_bar(bar, [k]) for k in known),
                                    "farthest"),
                    (lambda bar, known: nearest_bar(bar, known) * bar.size, "number of notes"),
                    (lambda bar, known: 1 - nearest_bar(bar, known), "differ"),
                    (lambda bar, known: 1, "It should be"),
                    (lambda bar, known: max(np.mean(bar - k == (bar - k)[0, 0]) for k in known),
                     "first notes"),
                    (lambda bar, known: max(np.mean(bar - k == s) for k in known
                                            for s in range(12)), "one way only"),
                    (lambda bar, known: max(np.mean((bar - k) % 12 == s) for k in known
                                            for s in range(12)), "octaves"),
                    (lambda bar, known: print(end=""), "returned None")])
