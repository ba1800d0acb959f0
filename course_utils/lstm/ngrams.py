"""Counting what follows what: the baselines that a network has to beat, and Markov music."""
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from course_utils.scores import HIGHEST, LOWEST, VOCABULARY, Score, changes, to_pitches, to_tokens

ORDER = (0, 3, 1, 2)  # soprano, bass, alto, tenor: in this order a step's voices are chosen
TRANSPOSITIONS = range(-5, 7)  # what all models of chorales learn from
START = VOCABULARY
RADIX = VOCABULARY + 1
# What a guess may look at, and how many values it has. All of them and a token together stay below
# 2**63.
SIZES = {"own": RADIX, "beat": 16, "quarter": 4, "chosen": RADIX**3, "others": RADIX**3,
         "left": RADIX}
# tried on the validation split. A note lasts several steps, so the counts of neighbours are not
# independent.
DOUBT = 3
OWN = (("own",), ("own", "quarter"))
LADDER = {"uniform": (), "unigram": ((),), "bigram with beat": ((), ("own",), ("own", "beat")),
          "Markov with back-off": ((), *OWN, (*OWN[1], "chosen"), (*OWN[1], "chosen", "others"),
                                   (*OWN[1], "chosen", "others", "left"))}


class Counts(NamedTuple):
    """What was counted in contexts of one kind, for one voice; both lists of numbers are sorted."""
    contexts: np.ndarray
    totals: np.ndarray
    distinct: np.ndarray
    events: np.ndarray
    counts: np.ndarray


@dataclass(frozen=True, eq=False)
class Ngram:
    """Counts of which token followed in which context.

    Notebook: 08_lstm_composes_chorales

    Attributes:
        contexts: kinds of context, from the shortest to the longest, each a tuple of names of
            `SIZES`.
        tables: a list for each of the four voices in `ORDER`, with the `Counts` of each kind of
            context.
    """
    contexts: tuple[tuple[str, ...], ...]
    tables: list[list[Counts]]


def fit(contexts: Sequence[Sequence[str]], pieces: Sequence[Score]) -> Ngram:
    """Count what follows what, in all twelve transpositions.

    Notebook: 08_lstm_composes_chorales

    Args:
        contexts: kinds of context, from the shortest to the longest, such as `LADDER["bigram with
            beat"]`. Of the voice to be guessed, "own" is its previous pitch and "left" the last
            pitch that differed from it; "chosen" are the voices already known in this step,
            "others" the previous pitches of the remaining ones; "quarter" and "beat" are the
            position in the quarter note and in the bar.
        pieces: scores of four voices.

    Returns:
        The counts, for `nats` and `sample`.

    Raises:
        ValueError: if there is no piece, one has not four voices or leaves MIDI 30..88, or a name
            is unknown.

    Example:
        >>> from course_utils import scores
        >>> from course_utils.lstm import ngrams
        >>> piece = scores.from_grid([[72, 67, 64, 48]] * 16)
        >>> ngrams.fit(ngrams.LADDER["unigram"], [piece]).contexts
        ((),)
    """
    if unknown := {name for context in contexts for name in context} - set(SIZES):
        raise ValueError(f"There is no context {', '.join(sorted(unknown))}. Choose among "
                         f"{', '.join(SIZES)}.")
    if not pieces:
        raise ValueError("There are no pieces to count in. Give a list of scores, such as "
                         "datasets.chorales('train').")
    parts = [_shifted(read, semitones) for piece in pieces for read in [_read(piece)]
             for semitones in TRANSPOSITIONS]
    tokens, previous, left, beat = (np.concatenate(columns) for columns in zip(*parts))
    tables = []
    for rank, voice in enumerate(ORDER):
        seen = _seen(rank, tokens, previous, left, beat)
        tables.append([_count(_number(seen, names), tokens[:, voice]) for names in contexts])
    return Ngram(tuple(map(tuple, contexts)), tables)


def nats(model: Ngram, pieces: Sequence[Score]) -> list[np.ndarray]:
    """Measure a model over whole pieces, as `evaluation.chorale_nats` does.

    Notebook: 08_lstm_composes_chorales

    Args:
        model: what `fit` returned.
        pieces: scores of four voices.

    Returns:
        The negative log-likelihood of each cell in nats, (steps, 4) float64, of each piece. A cell
        is one voice on one sixteenth, rests included.

    Raises:
        ValueError: if a piece has not four voices or leaves MIDI 30..88.

    Example:
        >>> from course_utils import scores
        >>> from course_utils.lstm import ngrams
        >>> piece = scores.from_grid([[72, 67, 64, 48]] * 16)
        >>> (nats,) = ngrams.nats(ngrams.fit(ngrams.LADDER["uniform"], [piece]), [piece])
        >>> nats.shape, round(float(nats.mean()), 2)  # log(60): each of 60 tokens is as likely
        ((16, 4), 4.09)
    """
    return [_nats(model, piece) for piece in pieces]


def _nats(model: Ngram, piece: Score) -> np.ndarray:
    read, costs = _read(piece), np.empty((len(piece), 4))
    for rank, voice in enumerate(ORDER):
        costs[:, [voice]] = -np.log(probabilities(model, rank, _seen(rank, *read),
                                                  read[0][:, [voice]]))
    return costs


def probabilities(model: Ngram, rank: int, seen: dict[str, np.ndarray],
                  tokens: np.ndarray) -> np.ndarray:
    """Return how probable tokens are for the voice that is chosen `rank`-th, mixing all contexts.

    Each context trusts its own counts by how often it occurred, and leaves the rest to the next
    shorter one; a context in which many different tokens followed leaves it more (after Witten and
    Bell 1991, whose DOUBT is 1): p_k(x) = (count(x) + DOUBT * distinct * p_(k-1)(x)) / (total +
    DOUBT * distinct), beginning with 1 / VOCABULARY.

    Args:
        model: what `fit` returned.
        rank: 0 for the soprano, 1 bass, 2 alto, 3 tenor.
        seen: (n,) an entry, what the guess may look at.
        tokens: (n, k), the tokens asked about in each row.

    Returns:
        float64 (n, k).
    """
    p = np.full(tokens.shape, 1 / VOCABULARY)
    for names, table in zip(model.contexts, model.tables[rank], strict=True):
        context = _number(seen, names)[:, None]
        total, distinct = (_look_up(table.contexts, found, context)
                           for found in (table.totals, table.distinct))
        count = _look_up(table.events, table.counts, context * VOCABULARY + tokens)
        doubt = DOUBT * distinct
        p = np.where(total > 0, (count + doubt * p) / np.maximum(total + doubt, 1), p)
    return p


def sample(model: Ngram, plan: Score, pieces: int, *, seed: int) -> list[Score]:
    """Draw pieces note by note from the counts.

    Notebook: 08_lstm_composes_chorales

    Args:
        model: what `fit` returned.
        plan: its bars are kept, its notes are not looked at; `planning.plan_chorale` makes one.
        pieces: how many to draw.
        seed: the same seed gives the same pieces.

    Returns:
        Scores with the plan's bars; a note begins where the pitch changes.

    Example:
        >>> from course_utils import scores
        >>> from course_utils.lstm import ngrams
        >>> piece = scores.from_grid([[72, 67, 64, 48]] * 16)
        >>> model = ngrams.fit(ngrams.LADDER["unigram"], [piece])
        >>> [len(score) for score in ngrams.sample(model, piece, 2, seed=0)]
        [16, 16]
    """
    rng = np.random.default_rng(seed)
    tokens = np.zeros((pieces, len(plan), 4), np.int64)
    previous = left = np.full((pieces, 4), START)
    for step in range(len(plan)):
        beat, now = np.full(pieces, plan.beat[step]), tokens[:, step]
        for rank, voice in enumerate(ORDER):
            every = np.arange(VOCABULARY) + np.zeros((pieces, 1), np.int64)
            p = probabilities(model, rank, _seen(rank, now, previous, left, beat), every)
            now[:, voice] = (p.cumsum(axis=1)
                             < rng.random((pieces, 1))).sum(axis=1).clip(0, VOCABULARY - 1)
        left, previous = np.where(now == previous, left, previous), now
    grids = to_pitches(tokens)
    return [replace(plan, pitches=grid, onsets=changes(grid), title="") for grid in grids]


def _read(piece: Score) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return a piece's tokens, those one step earlier, the last that differed from these (all
    (steps, 4)), and beats.
    """
    if piece.pitches.shape[1] != 4:
        raise ValueError(f"A piece has {piece.pitches.shape[1]} voices. Only music in four voices "
                         "is counted.")
    tokens = to_tokens(piece.pitches).astype(np.int64)
    padded = np.vstack([np.full((2, 4), START), tokens])
    # The row at which the voice last arrived at what it sang one step earlier; the row before holds
    # what it left.
    arrived = np.where(padded[1:-1] != padded[:-2], np.arange(1, len(tokens) + 1)[:, None], 1)
    left = np.take_along_axis(padded, np.maximum.accumulate(arrived, axis=0) - 1, axis=0)
    return tokens, padded[1:-1], left, piece.beat.astype(np.int64)


def _shifted(read: tuple, semitones: int) -> tuple:
    """Transpose what `_read` returned; what would leave the vocabulary stays an octave nearer."""
    highest = HIGHEST - LOWEST + 1

    def shift(tokens: np.ndarray) -> np.ndarray:
        moved = tokens + semitones
        moved = moved - 12 * (moved > highest) + 12 * (moved < 1)
        return np.where((tokens == 0) | (tokens == START), tokens, moved)

    return *map(shift, read[:3]), read[3]


def _seen(rank: int, tokens: np.ndarray, previous: np.ndarray, left: np.ndarray,
          beat: np.ndarray) -> dict[str, np.ndarray]:
    """Return what the guess of the voice chosen `rank`-th may look at, each as one number a row."""
    voice, chosen, others = ORDER[rank], ORDER[:rank], [v for v in range(4) if v != ORDER[rank]]
    return {"own": previous[:, voice], "beat": beat % 16, "quarter": beat % 4,
            "chosen": _join(tokens[:, chosen]), "others": _join(previous[:, others]),
            "left": left[:, voice]}


def _join(tokens: np.ndarray) -> np.ndarray:
    """Turn each row of tokens into one number."""
    return tokens @ RADIX ** np.arange(tokens.shape[1])


def _number(seen: dict[str, np.ndarray], names: Sequence[str]) -> np.ndarray:
    """Number the contexts: what is seen under these names as one whole number a row."""
    number = np.zeros(len(seen["own"]), np.int64)
    for name in names:
        number = number * SIZES[name] + seen[name]
    return number


def _count(contexts: np.ndarray, tokens: np.ndarray) -> Counts:
    events, counts = np.unique(contexts * VOCABULARY + tokens, return_counts=True)
    found, first, distinct = np.unique(events // VOCABULARY, return_index=True, return_counts=True)
    return Counts(found, np.add.reduceat(counts, first), distinct, events, counts)


def _look_up(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the values of the wanted keys, 0 for those that are not there."""
    place = np.searchsorted(keys, wanted).clip(0, len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], 0)
