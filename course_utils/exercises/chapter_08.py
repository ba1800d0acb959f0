"""Checks of 08_lstm_composes_chorales."""
import numpy as np

from course_utils.exercises import call, exercise, number, show


@exercise("08.1")
def factor_of_a_step(answer) -> str | None:
    """A step of four notes at 0.29 nats each, against the uniform guess: 60**4 * exp(-4 * 0.29),
    about 4.1 million.
    """
    factor, expected = number(answer), 60**4 * np.exp(-4 * 0.29)
    slips = {60 * np.exp(-0.29): "That is one note. A step has four, and their probabilities "
             "multiply.", 4 * 60 * np.exp(-0.29): "That is four times the factor of a note. "
             "Probabilities multiply: take the fourth power.", 60**4: "That is one over what the "
             "uniform guess finds. The model does not pay 0: divide by what it pays, too.",
             np.exp(-4 * 0.29): "That is the probability of a step under the model. Divide it by "
             "that under the uniform guess.", 4 * (np.log(60) - 0.29): "That is the difference in "
             "nats. Nats are logarithms: take the exponential.", 1 / expected: "That is the factor "
             "the other way round: the model should find the step more probable, not less.",
             60**4 * np.exp(4 * 0.29): "The model's probability is exp(-0.29) a note, not "
             "exp(+0.29).", 60**4 / 2 ** (4 * 0.29): "Nats go with e, not with 2."}
    if np.isclose(factor, expected, rtol=0.02):
        return None
    near = (told for wrong, told in slips.items() if np.isclose(factor, wrong, rtol=0.005))
    return next(near, "A note costs 0.29 instead of ln 60. Subtract, count four notes, and undo "
                "the logarithm.")


@exercise("08.2")
def top_k(answer) -> str | None:
    """A function (p, k) that keeps the k largest probabilities and renormalises."""
    rng = np.random.default_rng(0)
    for size, k in ((4, 2), (6, 1), (10, 3), (5, 5)):
        given = rng.permutation(np.round(rng.dirichlet(np.ones(size)), 4) + np.arange(size) * 1e-3)
        given = given / given.sum()
        before, kept = given.copy(), given >= np.sort(given)[-k]
        result = np.asarray(call(answer, given, k), float)
        told = f"From {show(before)} with k = {k} it made {show(result)}. "
        if not np.array_equal(before, given):
            return "It changed its input. Work on a copy."
        if result.shape != before.shape:
            return (f"{told}The shape should stay {before.shape}: the others become 0, they do not "
                    "go.")
        if np.allclose(result, before * kept) and k < size:
            return f"{told}The sum is no longer 1: divide by it."
        if np.array_equal(result > 0, before <= np.sort(before)[k - 1]) and k < size:
            return f"{told}Those are the smallest ones."
        if np.array_equal(result > 0, kept) and not np.allclose(result,
                                                                before * kept / before[kept].sum()):
            return (f"{told}The right ones are kept, but their proportions changed. Divide by "
                    "their sum.")
        if not np.allclose(result, before * kept / before[kept].sum()):
            return f"{told}It should keep the {k} largest and divide by their sum."
    return None


@exercise("08.3")
def back_off(answer) -> str | None:
    """A function (count, total, distinct, shorter): (count + 3 distinct shorter) / (total + 3
    distinct).
    """
    for count, total, distinct, shorter in ((2, 10, 3, 0.1), (0, 4, 1, 0.5), (7, 7, 1, 0.25),
                                            (0, 0, 0, 0.3)):
        result = call(answer, count, total, distinct, shorter)
        told = f"For ({count}, {total}, {distinct}, {shorter:g}) it returned {show(result)}: "
        if not total:
            return (None if np.isclose(result, shorter) else f"{told}where `total` is 0, the "
                    "answer is `shorter`.")
        result, expected = number(result), (count + 3 * distinct * shorter) / (total + 3 * distinct)
        slips = {"the factor of 3 is missing.": (count + distinct * shorter) / (total + distinct),
                 "nothing is mixed in from the shorter context.": count / total,
                 "the shorter context's share has to go into the numerator as well.": count
                 / (total + 3 * distinct),
                 "it adds up to more than 1 over all notes: the denominator lacks its 3 d.":
                 (count + 3 * distinct * shorter) / total}
        if not np.isclose(result, expected):
            slip = next((slip for slip, wrong in slips.items() if np.isclose(result, wrong)),
                        f"it should be {expected:.4g}.")
            return f"{told}{slip}"
    return None


@exercise("08.4")
def pick(answer) -> str | None:
    """A function (logits, temperature, noise): argmax of logits / temperature + noise; of the
    logits at temperature 0.
    """
    rng = np.random.default_rng(1)
    for temperature in (1.0, 0.5, 4.0, 0.0):
        trials = [(rng.normal(0, 2, 5), rng.gumbel(size=5)) for _ in range(40)]
        chosen = []
        for logits, noise in trials:
            given = logits.copy(), noise.copy()
            with np.errstate(divide="ignore", invalid="ignore"):
                chosen.append(call(answer, given[0], temperature, given[1]))
            if not (np.array_equal(given[0], logits) and np.array_equal(given[1], noise)):
                return "It changed its input. Work on copies."
            if np.ndim(chosen[-1]):
                return f"It returned {show(chosen[-1])}. One index is asked for."
        right = [int(np.argmax(z if temperature == 0 else z / temperature + noise))
                 for z, noise in trials]
        if [number(index) for index in chosen] != right:
            return _slip(trials, temperature, chosen, right)
    return None


def _slip(trials: list, temperature: float, chosen: list, right: list[int]) -> str:
    first = next(i for i, (mine, index) in enumerate(zip(chosen, right)) if mine != index)
    logits, noise = trials[first]
    told = (f"For the logits {show(logits.round(2))}, temperature {temperature:g} and noise "
             f"{show(noise.round(2))} it returned {show(chosen[first])}, not {right[first]}. ")
    if temperature == 0:
        return (f"{told}At temperature 0 the likeliest wins, whatever the noise, and nothing is "
                "divided.")
    slips = {"That is the likeliest one. Add the noise, or it is greedy.": lambda z, noise: z,
             "The noise is added as it is. Divide the logits alone, and do so first: after adding, "
             "it changes no order.": lambda z, noise: z + noise,
             "Divide by the temperature; do not multiply.": lambda z,
             noise: z * temperature + noise, "The noise is added, not subtracted.": lambda z,
             noise: z / temperature - noise}
    found = (slip for slip, rule in slips.items() if [int(np.argmax(rule(*trial)))
                                                      for trial in trials] == chosen)
    return told + next(found, "It is the index of the largest of logits / temperature + noise.")
