"""Checks of 10_gan_composes_bars."""
import numpy as np

from course_utils.exercises import Hint, call, exercise, number


@exercise("10.1")
def grids(answer) -> str | None:
    """48 pitches at 16 * 4 places: 64 log10 48 = 107.6."""
    said, right = number(float(answer) if isinstance(answer, int) else answer), 64 * np.log10(48)
    slips = {64 * np.log(48): "That is the natural logarithm. Take the one to base 10.",
             64 * np.log2(48): "That is in bits. Take the logarithm to base 10.",
             48 * np.log10(64): "Each of 64 places has 48 choices, not the other way round.",
             np.log10(64 * 48): "That is the logarithm of 64 times 48. The choices at all places "
             "multiply.", 16 * np.log10(48): "That is one voice. There are four.",
             4 * np.log10(48): "That is one step. There are 16."}
    if abs(said - right) <= 0.1:
        return None
    if said > 1e6:
        return ("That is too long for a logarithm. If it is the number of grids: take its "
                "logarithm to base 10.")
    slip = next((hint for wrong, hint in slips.items() if abs(said - wrong) <= 0.1), None)
    return (slip or "There are 16 times 4 places with 48 choices each. Logarithms turn the product "
            "into a sum. Give one decimal.")


def _soft(logits):
    e = np.exp(logits - logits.max())
    return e / e.sum()


CHOICES = (([1.0, 0.0, 0.0], [1.0, 2.0, 0.5]), ([0.2, -1.0, 0.7, 0.0], [0.0, 3.0, -1.0, 0.4]),
           ([2.0, 2.0], [0.3, 0.1]))
BACKWARD_SLIPS = {"That hands dy on as it is. Going back, it passes through the softmax.":
                  lambda dy, a: dy, "That is s * dy. Take the mean of dy, weighted by s, away from "
                  "dy first.": lambda dy, a: _soft(a) * dy,
                  "That is dy minus its weighted mean. The factor s is missing.": lambda dy,
                  a: dy - _soft(a) @ dy, "The mean of dy has to be weighted by s.": lambda dy,
                  a: _soft(a) * (dy - dy.mean()),
                  "That is the choice itself, softly. Its gradient is asked for.": lambda dy,
                  a: _soft(a), "That is zero, the gradient of argmax. Straight-through lends that "
                  "of the softmax.": lambda dy, a: 0 * dy, "Its sign is wrong.": lambda dy,
                  a: -_soft(a) * (dy - _soft(a) @ dy)}


@exercise("10.2")
def straight_through_backward(answer) -> str | None:
    """A function (dy, logits) for the gradient by the logits: s * (dy - s @ dy)."""
    for dy, logits in (map(np.array, pair) for pair in CHOICES):
        result = np.asarray(call(answer, dy.copy(), logits.copy()), dtype=float)
        told, right = (f"For dy = {dy.tolist()} and logits = {logits.tolist()}",
                       _soft(logits) * (dy - _soft(logits) @ dy))
        if result.shape != logits.shape:
            raise Hint(f"{told} it returned shape {result.shape}. Each logit has its own number: "
                       f"{logits.shape}.")
        if not np.allclose(result, right, atol=1e-5):
            slips = (hint for hint, wrong in BACKWARD_SLIPS.items()
                     if np.allclose(wrong(dy, logits), result, atol=1e-6))
            hint = next(slips, f"It should be {np.round(right, 3).tolist()}.")
            return f"{told} it returned {np.round(result, 3).tolist()}. {hint}"
    return None


def _diversity(pairs):
    pairs = np.asarray(pairs)
    apart = [np.mean(a != b) for k, a in enumerate(pairs) for b in pairs[:k]]
    return float(np.mean(apart))


DIVERSITY_SLIPS = {"Each grid was compared with itself, too, which is never different.": lambda p:
                   np.mean([np.mean(a != b) for a in p for b in p]),
                   "That is the share of notes in which they agree.": lambda p: 1 - _diversity(p),
                   "That compares neighbours only. Compare each grid with each other one.":
                   lambda p: np.mean([np.mean(a != b) for a, b in zip(p, p[1:])]),
                   "That is the share of different grids. Count notes.": lambda p:
                   len(np.unique(p.reshape(len(p), -1), axis=0)) / len(p),
                   "Those are numbers of notes. Divide by the notes of a grid.": lambda p:
                   _diversity(p) * p[0].size,
                   "That is the sum over all pairs. Divide by their number.": lambda p:
                   _diversity(p) * len(p) * (len(p) - 1) / 2,
                   "Two grids that happen to be equal are a pair, too: they differ in no note.":
                   lambda p:
                   np.mean([np.mean(a != b) for k, a in enumerate(p) for b in p[:k]
                            if (a != b).any()]), "That is the mean distance in semitones. Count "
                   "the notes that differ, by whatever.": lambda p:
                   np.mean([np.mean(np.abs(a - b)) for k, a in enumerate(p) for b in p[:k]])}


def _sets():
    rng = np.random.default_rng(3)
    same = np.repeat(rng.integers(48, size=(1, 4, 4)), 3, axis=0)
    other = same.copy()
    other[2, :2] += 1
    return rng.integers(3, size=(5, 4, 4)), other, same


@exercise("10.3")
def diversity(answer) -> str | None:
    """A function of grids (count, steps, voices): the mean share of notes in which two of them
    differ.
    """
    for pairs in _sets():
        result, right = number(call(answer, pairs.copy())), _diversity(pairs)
        if abs(result - right) > 1e-6:
            slips = (hint for hint, wrong in DIVERSITY_SLIPS.items()
                     if abs(wrong(pairs) - result) < 1e-6)
            return (f"For {len(pairs)} small grids it found {result:.4g}. "
                    f"{next(slips, f'It should be {right:.4g}.')}")
    return None


def _nearest(bar, known):
    return max(float(np.unique(bar - other, return_counts=True)[1].max() / bar.size)
               for other in known)


NEAREST_SLIPS = ({"It compared the notes as they stand. Try every transposition.": lambda bar,
                  known: max(np.mean(bar == k) for k in known), "It moved each known bar until the "
                  "first notes agree. Another transposition may suit more notes.": lambda bar,
                  known: max(np.mean(bar - other == bar[0, 0] - other[0, 0]) for other in known),
                  "It tried transpositions one way only. A known bar may lie above or below.":
                  lambda bar, known: max(np.mean(bar - other == up) for other in known
                                         for up in range(12)), "It took octaves for the same note. "
                  "In a transposition all notes move equally far.": lambda bar,
                  known: max(np.mean((bar - other) % 12 == up) for other in known
                             for up in range(12)),
                  "It compared with the first known bar only.": lambda bar,
                  known: _nearest(bar, known[:1]),
                  "That is the mean over the known bars. Take the nearest.": lambda bar,
                  known: np.mean([_nearest(bar, [k]) for k in known]),
                  "That is the farthest of the known bars.": lambda bar,
                  known: min(_nearest(bar, [k]) for k in known),
                  "That is a number of notes. A share is asked for.": lambda bar,
                  known: _nearest(bar, known) * bar.size,
                  "That is the share of notes that differ.": lambda bar,
                  known: 1 - _nearest(bar, known)})


def _libraries():
    rng = np.random.default_rng(6)
    bar, noise = rng.integers(10, 40, size=(8, 4)), rng.integers(10, 40, size=(5, 8, 4))
    # Known bars are the bar itself, moved, in so many of its notes; the nearest is neither first
    # nor last.
    for shares in ([0.5, 0.3, 0.8, 0.6, 0.4], [0.5, 0.3, 0.6, 1.0, 0.2], [0.5, 0.7, 0.3]):
        kept = rng.random((len(shares), 8, 4)) < np.array(shares)[:, None, None]
        yield bar, np.where(kept, bar + np.array([5, -3, 2, 12, -7])[: len(shares), None, None],
                            noise[: len(shares)])


@exercise("10.4")
def nearest(answer) -> str | None:
    """A function (bar, known): the largest share of notes shared with a known bar, in any
    transposition.
    """
    for bar, known in _libraries():
        result, right = number(call(answer, bar.copy(), known.copy())), _nearest(bar, known)
        if abs(result - right) > 1e-6:
            slips = (hint for hint, wrong in NEAREST_SLIPS.items()
                     if abs(wrong(bar, known) - result) < 1e-6)
            return (f"Among {len(known)} known bars it found {result:.4g}. "
                    f"{next(slips, f'It should be {right:.4g}.')}")
    return None
