"""Checks of 09_gan_from_scratch."""
import numpy as np

from course_utils.by_hand.recurrence import sigmoid
from course_utils.exercises import Hint, call, exercise, number


@exercise("09.1")
def best_discriminator(answer) -> str | None:
    """Densities 0.8 and 0.4: 0.8 / 1.2 = 2/3."""
    said = number(answer)
    slips = {1 / 3: "That is the probability that the point is fake.", 2.0: "That is how many "
             "times likelier real is than fake. The discriminator states a probability.",
             0.5: "One half would mean that real and fake points are equally dense there.",
             0.8: "That is the density of real points. Compare it with all points that turn up "
             "there.",
             1.2: "That is the density of all points together. Which share of it is real?"}
    if abs(said - 2 / 3) <= 0.005:
        return None
    slip = next((hint for wrong, hint in slips.items() if abs(said - wrong) <= 0.005), None)
    return (slip or "Divide the density of real points by that of all points, real and fake "
            "together.")


def _kl(p, q):
    """Return sum p log(p / q) in nats, where 0 log 0 counts as 0."""
    some = p > 0
    with np.errstate(divide="ignore"):
        return float((p[some] * np.log(p[some] / q[some])).sum())


def _jsd(p, q):
    return (_kl(p, (p + q) / 2) + _kl(q, (p + q) / 2)) / 2


PAIRS = (([0.5, 0.25, 0.25], [0.2, 0.2, 0.6]), ([0.7, 0.3, 0.0], [0.1, 0.4, 0.5]),
         ([1.0, 0.0], [0.0, 1.0]), ([0.25] * 4, [0.25] * 4))
JSD_SLIPS = {"That is twice as much: the divergence is half the sum of both parts.": lambda p,
             q: 2 * _jsd(p, q), "That is in bits. Take the natural logarithm.": lambda p,
             q: _jsd(p, q) / np.log(2), "That is the Kullback-Leibler divergence between p and q. "
             "Compare each with the mean of both.": _kl,
             "Only one half is there: add the part of q.": lambda p, q: _kl(p, (p + q) / 2),
             "That is the first half only: add the part of q.": lambda p,
             q: _kl(p, (p + q) / 2) / 2, "That is its square root.": lambda p,
             q: np.sqrt(_jsd(p, q)),
             "That is the value of the game. Solve its formula for the divergence.": lambda p,
             q: 2 * _jsd(p, q) - np.log(4)}


@exercise("09.2")
def jsd(answer) -> str | None:
    """A function (p, q) for the Jensen-Shannon divergence of two lists of probabilities, zeros
    allowed.
    """
    for p, q in (map(np.array, pair) for pair in PAIRS):
        result, right = (np.squeeze(np.asarray(call(answer, p.copy(), q.copy()), dtype=float)),
                         _jsd(p, q))
        told = f"For p = {p.tolist()} and q = {q.tolist()} it returned"
        if result.shape:
            return f"{told} {result.size} numbers. Add them up."
        if np.isnan(result):
            return (f"{told} nan. Where a probability is 0, its part of the sum is 0; NumPy makes "
                    "0 * log(0) nan.")
        if abs(result - right) > 1e-4:
            slip = (hint for hint, wrong in JSD_SLIPS.items() if abs(wrong(p, q) - result) < 1e-6)
            return f"{told} {result:.4g}. {next(slip, f'It should be {right:.4g}.')}"
    return None


SATURATING_SLIPS = {"That is the gradient of the non-saturating loss.": lambda a: (sigmoid(a) - 1)
                    / len(a),
                    "The mean divides by the batch size: so does its gradient.": lambda a:
                    -sigmoid(a),
                    "Its sign is wrong: if the logit rises, log(1 - D) falls.": lambda a: sigmoid(a)
                    / len(a),
                    "That is the loss of each logit, not its gradient.": lambda a:
                    np.log1p(-sigmoid(a)),
                    "Those are the derivatives of the sigmoid. The logarithm is missing.": lambda a:
                    -sigmoid(a) * (1 - sigmoid(a)) / len(a),
                    "That is the gradient by D = sigma(a). The chain rule goes on to a.": lambda a:
                    -1 / (1 - sigmoid(a)) / len(a)}


@exercise("09.3")
def saturating_backward(answer) -> str | None:
    """A function (logits) for the gradient of mean log(1 - sigmoid(logits)): -sigmoid(logits) /
    batch.
    """
    for logits in (np.array([[-3.0], [0.5], [2.0], [0.0]]), np.array([[1.0], [-1.5]])):
        result = np.asarray(call(answer, logits.copy()), dtype=float)
        told = f"For logits {logits.ravel().tolist()}"
        if result.shape != logits.shape:
            raise Hint(f"{told} it returned shape {result.shape}. Each logit has its own number: "
                       f"{logits.shape}.")
        if not np.allclose(result, -sigmoid(logits) / len(logits), atol=1e-6):
            slip = (hint for hint, wrong in SATURATING_SLIPS.items()
                    if np.allclose(result, wrong(logits), atol=1e-6))
            return (f"{told} it returned {np.round(result.ravel(), 4).tolist()}. "
                    f"{next(slip, 'Derive log(1 - sigma(a)) by a.')}")
    return None


SANDS = (([0.0, 5.0, 1.0], [7.5, 2.0, 1.0]), ([1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0]),
         ([-2.0, 2.0], [0.0, 0.0]))
SAND_SLIPS = {"It carried the heaps in the order of the lists. The best plan keeps the order of "
              "the places: sort both.": lambda x, y: np.abs(x - y).mean(),
              "That is the distance between the means. Heaps on both sides must not cancel out.":
              lambda x, y: abs(x.mean() - y.mean()),
              "A way to the left is no less far than one to the right: take absolute values.":
              lambda x, y: x.mean() - y.mean(),
              "It added where a mean is asked for: all heaps together weigh 1.": lambda x,
              y: np.abs(np.sort(x) - np.sort(y)).sum(), "Those are squared distances.": lambda x,
              y: ((np.sort(x) - np.sort(y)) ** 2).mean(),
              "That is the distance with squares and a root; here every step counts alike.":
              lambda x, y: np.sqrt(((np.sort(x) - np.sort(y)) ** 2).mean()),
              "It sorted one of the lists only.": lambda x, y: np.abs(np.sort(x) - y).mean()}


@exercise("09.4")
def wasserstein(answer) -> str | None:
    """A function (x, y) for the Wasserstein distance of two equally long samples: mean |sorted x -
    sorted y|.
    """
    for x, y in (map(np.array, pair) for pair in SANDS):
        kept = x.copy(), y.copy()
        result, right = (number(call(answer, x, y)),
                         np.abs(np.sort(kept[0]) - np.sort(kept[1])).mean())
        if not (np.array_equal(x, kept[0]) and np.array_equal(y, kept[1])):
            return ("It changed its inputs. np.sort(x) returns a sorted copy, x.sort() sorts in "
                    "place.")
        if abs(result - right) > 1e-6:
            slip = (hint for hint, wrong in SAND_SLIPS.items() if abs(wrong(x, y) - result) < 1e-6)
            return (f"From {y.tolist()} to {x.tolist()} it found {result:.4g}. "
                    f"{next(slip, f'It should be {right:.4g}.')}")
    return None
