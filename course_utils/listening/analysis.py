"""What a room of listeners says: exact intervals, mean opinions, paired tests, consistency, and how
many listeners it takes.
"""
import itertools
from collections.abc import Sequence

import numpy as np

from course_utils.listening.answer_log import Answer, by_listener, chosen, item_of, system_of

MOST_TRIALS = 20_000
MOST_FLIPS = 14  # listeners whose 2**n sign patterns are all tried


def exact_interval(hits, trials, level: float = 0.95):
    """Return the interval of Clopper and Pearson for a proportion.

    Notebook: 13_listening_test (written out)

    It holds every p under which neither so many hits or more, nor so many or fewer, would be rarer
    than (1 - level) / 2 (Biometrika 26, 1934).

    Args:
        hits: number, or array of numbers.
        trials: number of independent trials, or array of them.
        level: how often, at least, such an interval holds the truth.

    Returns:
        The lower and the upper end, of the shape of `hits`.
    """
    from scipy.stats import beta

    tail = (1 - level) / 2
    low = np.nan_to_num(beta.ppf(tail, hits, trials - hits + 1), nan=0.0)
    high = np.nan_to_num(beta.ppf(1 - tail, hits + 1, trials - hits), nan=1.0)
    return low, high


def wins(answers: Sequence[Answer], kind: str, system: str,
         rival: str) -> tuple[np.ndarray, np.ndarray]:
    """Count, for each listener, how often a system was chosen over its rival.

    Notebook: 13_listening_test

    Practice and repeats are left out, and listeners who never heard this pair.

    Args:
        answers: of all listeners.
        kind: `pick` or `prefer`.
        system: whose wins are counted.
        rival: the other one.

    Returns:
        Wins and trials, each int (listeners,).

    Raises:
        ValueError: if nobody compared the two.

    Example:
        >>> from course_utils.listening import analysis
        >>> from course_utils.listening.answer_log import Answer
        >>> a = Answer("try", "x0", "QXB", 1, 2, "pick", "test", "Bach/0", "LSTM/0", "A", 1, 900)
        >>> hits, trials = analysis.wins([a, a._replace(answer="B")], "pick", "Bach", "LSTM")
        >>> hits.tolist(), trials.tolist()
        ([1], [2])
    """
    counts = []
    for theirs in by_listener(answers).values():
        pairs = [a for a in theirs if (a.kind, a.role) == (kind, "test")
                 and {system_of(a.first), system_of(a.second)} == {system, rival}]
        counts.append((sum(system_of(chosen(a)) == system for a in pairs), len(pairs)))
    hits, trials = np.array(counts, int).reshape(-1, 2).T  # (listeners, 2), turned
    if not trials.sum():
        raise ValueError(f"Nobody compared {system!r} with {rival!r} in a trial of kind {kind!r}.")
    return hits[trials > 0], trials[trials > 0]


def listener_interval(hits: np.ndarray, trials: np.ndarray,
                      level: float = 0.95) -> tuple[float, float]:
    """Return an interval for a proportion that holds for listeners who differ.

    Notebook: 13_listening_test

    Answers of one listener resemble one another, so the listeners' own shares are what varies:
    Student's interval of their mean. Where they vary less than chance alone would make them, the
    exact interval is wider, and counts.

    Args:
        hits: (listeners,).
        trials: (listeners,).
        level: how often it should hold the truth about all listeners there are.

    Returns:
        The lower and the upper end.

    Example:
        >>> import numpy as np
        >>> from course_utils.listening import analysis
        >>> hits, trials = np.array([9, 1]), np.array([10, 10])  # two who hear differently
        >>> [round(end, 2) for end in analysis.listener_interval(hits, trials)]
        [0.0, 1.0]
    """
    from scipy.stats import t

    low, high = exact_interval(hits.sum(), trials.sum(), level)
    if len(hits) < 2:
        return float(low), float(high)
    shares = hits / trials
    reach = t.ppf((1 + level) / 2, len(shares) - 1) * shares.std(ddof=1) / np.sqrt(len(shares))
    return (float(min(low, max(0, shares.mean() - reach))),
            float(max(high, min(1, shares.mean() + reach))))


def recognised(answers: Sequence[Answer], reference: str) -> dict[str, tuple[float, float, float]]:
    """Return how often the reference was picked out, against each rival that anybody heard beside
    it.

    Notebook: 13_listening_test

    Returns:
        For each rival the share of right picks, and the ends of `listener_interval`.

    Example:
        >>> from course_utils.listening import analysis
        >>> from course_utils.listening.answer_log import Answer
        >>> a = Answer("try", "x0", "QXB", 1, 2, "pick", "test", "Bach/0", "LSTM/0", "A", 1, 900)
        >>> [round(x, 2) for x in analysis.recognised([a, a._replace(trial=2)], "Bach")["LSTM"]]
        [1.0, 0.16, 1.0]
    """
    pairs = [(system_of(a.first), system_of(a.second)) for a in answers
             if (a.kind, a.role) == ("pick", "test")]
    rivals = sorted({system for pair in pairs if reference in pair for system in pair}
                    - {reference})
    counts = {rival: wins(answers, "pick", reference, rival) for rival in rivals}
    return {rival: (float(hits.sum() / n.sum()), *listener_interval(hits, n))
            for rival, (hits, n) in counts.items()}


def ratings(answers: Sequence[Answer]) -> dict[str, np.ndarray]:
    """Collect the ratings of each system, without practice and repeats.

    Notebook: 13_listening_test

    Returns:
        For each system (listeners, items), NaN where a listener did not hear an item; the listeners
        are those who rated anything, in the order of their codes.

    Raises:
        ValueError: if there are no ratings.

    Example:
        >>> from course_utils.listening import analysis
        >>> from course_utils.listening.answer_log import Answer
        >>> a = Answer("try", "x0", "QXB", 1, 2, "rate", "test", "Bach/0", "", "5", 1, 900)
        >>> {system: table.tolist() for system, table in analysis.ratings([a]).items()}
        {'Bach': [[5.0]]}
    """
    rated = by_listener([a for a in answers if (a.kind, a.role) == ("rate", "test")])
    if not rated:
        raise ValueError("There are no ratings among these answers.")
    given = [(row, system_of(a.first), item_of(a.first), int(a.answer))
             for row, theirs in enumerate(rated.values()) for a in theirs]
    shape = len(rated), 1 + max(item for _, _, item, _ in given)
    tables = {}
    for system in dict.fromkeys(system for _, system, _, _ in given):
        total, count = np.zeros(shape), np.zeros(shape)
        for row, name, item, value in given:
            total[row, item] += value * (name == system)
            count[row, item] += name == system
        tables[system] = np.divide(total, count, out=np.full(shape, np.nan), where=count > 0)
    return tables


def mean_opinion(table: np.ndarray, draws: int = 2000, level: float = 0.95,
                 seed: int = 0) -> tuple[float, float, float]:
    """Return a system's mean rating with a bootstrap interval over listeners and items.

    Notebook: 13_listening_test (written out)

    Both are drawn anew, with replacement: other people might have come, and other excerpts might
    have been cut (Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 1, 2007).

    Args:
        table: (listeners, items), NaN where nothing was rated.
        draws: how many times both are drawn.
        level: of the interval.
        seed: of the draws.

    Returns:
        Mean, lower and upper end.
    """
    rng, (listeners, items) = np.random.default_rng(seed), table.shape
    people = rng.multinomial(listeners, np.full(listeners, 1 / listeners), draws)
    pieces = rng.multinomial(items, np.full(items, 1 / items), draws)
    total = ((people @ np.nan_to_num(table)) * pieces).sum(axis=1)
    count = ((people @ ~np.isnan(table)) * pieces).sum(axis=1)
    means = total[count > 0] / count[count > 0]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(np.nanmean(table)), float(low), float(high)


def flip_test(differences: np.ndarray, draws: int = 20_000, seed: int = 0) -> float:
    """Test whether paired differences lie around 0, by flipping their signs.

    Notebook: 13_listening_test (written out)

    If two systems are equally good, each listener's difference might as well have the other sign
    (Fisher 1935). With few listeners all patterns of signs are tried, else so many drawn ones.

    Args:
        differences: (listeners,), such as a listener's mean rating of one system minus that of
            another.
        draws: how many patterns are drawn.
        seed: of the draws.

    Returns:
        The two-sided p-value: how often flipped signs give a mean at least as far from 0.
    """
    n = len(differences)
    if n <= MOST_FLIPS:
        signs = np.array(list(itertools.product((1, -1), repeat=n)))
    else:
        signs = np.random.default_rng(seed).choice((1, -1), (draws, n))
        signs[0] = 1  # what was observed counts as one of the patterns
    return float((np.abs(signs @ differences) >= abs(differences.sum()) - 1e-9).mean())


def holm(p_values: Sequence[float]) -> np.ndarray:
    """Correct p-values for having asked several questions (Holm 1979).

    Notebook: 13_listening_test

    Returns:
        float64, in the order given: a value below 0.05 stays so, with 95 % certainty that no such
        value is a false alarm.

    Example:
        >>> from course_utils.listening import analysis
        >>> analysis.holm([0.01, 0.04, 0.03]).round(2).tolist()
        [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, float)
    order = p.argsort()
    raised = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    return np.minimum(raised, 1)[order.argsort()]


def consistency(answers: Sequence[Answer]) -> dict[str, dict[str, float]]:
    """Compare each listener's answers to trials that were asked twice.

    Notebook: 13_listening_test

    Returns:
        For each code: `pairs`, how many pairs were asked twice; `same`, how many of them got the
        same choice; `gap`, the mean distance of two ratings of one sound (NaN if none was rated
        twice).

    Example:
        >>> from course_utils.listening import analysis
        >>> from course_utils.listening.answer_log import Answer
        >>> a = Answer("try", "x0", "QXB", 1, 2, "rate", "test", "Bach/0", "", "5", 1, 900)
        >>> analysis.consistency([a, a._replace(trial=2, role="repeat", answer="3")])["QXB"]["gap"]
        2.0
    """
    found = {}
    for code, theirs in by_listener(answers).items():
        first = {_asked(a): a for a in reversed(theirs) if a.role == "test"}
        twice = [(a, first[_asked(a)]) for a in theirs if a.role == "repeat" and _asked(a) in first]
        pairs = [chosen(a) == chosen(b) for a, b in twice if a.kind != "rate"]
        gaps = [abs(int(a.answer) - int(b.answer)) for a, b in twice if a.kind == "rate"]
        found[code] = {"pairs": len(pairs), "same": sum(pairs),
                       "gap": float(np.mean(gaps)) if gaps else np.nan}
    return found


def _asked(answer: Answer) -> tuple[str, frozenset[str]]:
    return answer.kind, frozenset((answer.first, answer.second))


def inattentive(answers: Sequence[Answer], reference: str, anchor: str) -> list[str]:
    """Name the listeners who rated the anchor at least as high as the reference, on average.

    Notebook: 13_listening_test

    Example:
        >>> from course_utils.listening import analysis
        >>> from course_utils.listening.answer_log import Answer
        >>> a = Answer("try", "x0", "QXB", 1, 2, "rate", "test", "Bach/0", "", "2", 1, 900)
        >>> analysis.inattentive([a, a._replace(first="noise/0", answer="5")], "Bach", "noise")
        ['QXB']
    """
    tables = ratings(answers)
    codes = by_listener([a for a in answers if (a.kind, a.role) == ("rate", "test")])
    with np.errstate(invalid="ignore"):
        means = [np.nansum(tables[s], axis=1) / (~np.isnan(tables[s])).sum(axis=1)
                 for s in (reference, anchor)]
    return [code for code, hidden, low in zip(codes, *means) if low >= hidden]


def power(trials, p: float, chance: float = 0.5, level: float = 0.95):
    """Return how probable it is that the exact interval will lie above chance.

    Notebook: 13_listening_test (written out)

    Args:
        trials: number of independent trials, or array of numbers.
        p: the true proportion.
        chance: what guessing reaches.
        level: of the interval.
    """
    from scipy.stats import binom

    fewest = binom.isf((1 - level) / 2, trials, chance) + 1  # hits that guessing would seldom reach
    return binom.sf(fewest - 1, trials, p)


def trials_needed(p: float, chance: float = 0.5, wanted: float = 0.8) -> int:
    """Return the number of trials from which on the power is as wanted.

    Notebook: 13_listening_test

    Power does not grow steadily, since hits are whole numbers: it dips whenever one more hit is
    asked for.

    Raises:
        ValueError: if p is not above chance, or so near to it that more than 20,000 trials are
            needed.

    Example:
        >>> from course_utils.listening import analysis
        >>> analysis.trials_needed(0.75)
        35
    """
    if not chance < p <= 1:
        raise ValueError(f"The true proportion has to lie above chance ({chance}) and at most at "
                         f"1, not at {p}.")
    enough = power(np.arange(1, MOST_TRIALS + 1), p, chance) >= wanted
    if not enough[-1]:
        raise ValueError(f"{p} is so near to chance that more than {MOST_TRIALS} trials are "
                         "needed. Look for a larger effect.")
    return int(len(enough) - enough[::-1].argmin() + 1) if not enough.all() else 1


def simulated_detections(listeners: int, trials: int, p: float, spread: float, rooms: int = 2000,
                         chance: float = 0.5, seed: int = 0) -> dict[str, float]:
    """Simulate many rooms, and count in how many an interval lies above chance.

    Notebook: 13_listening_test

    Args:
        listeners: in each room.
        trials: of each listener.
        p: mean of the listeners' own proportions; at chance, what is counted are false alarms.
        spread: standard deviation of these proportions, which follow a beta distribution; 0 if all
            are alike.
        rooms: how many are simulated.
        chance: what guessing reaches.
        seed: of the simulation.

    Returns:
        The share of rooms: `trials`, if all trials count as independent; `listeners`, with
        `listener_interval`.

    Raises:
        ValueError: if no beta distribution has this mean and spread.

    Example:
        >>> from course_utils.listening import analysis
        >>> found = analysis.simulated_detections(8, 20, p=0.5, spread=0.2, rooms=100)
        >>> found["trials"] > found["listeners"]  # false alarms, as nobody hears a difference
        True
    """
    if not 0 < p < 1 or not 0 <= spread**2 < p * (1 - p):
        raise ValueError(f"Proportions around {p} cannot spread by {spread}; choose a spread below "
                         f"{np.sqrt(p * (1 - p)):.2f}.")
    rng, shape = np.random.default_rng(seed), (rooms, listeners)
    size = p * (1 - p) / spread**2 - 1 if spread else np.inf
    own = rng.beta(p * size, (1 - p) * size, shape) if spread else np.full(shape, p)
    hits = rng.binomial(trials, own)
    naive = exact_interval(hits.sum(axis=1), listeners * trials)[0] > chance
    careful = [listener_interval(room, np.full(listeners, trials))[0] > chance for room in hits]
    return {"trials": float(naive.mean()), "listeners": float(np.mean(careful))}
