"""How well a chorale LSTM predicts four-part music: nats per cell. Measures of generated music
stand in `measures`.
"""
import collections
import functools

import numpy as np

from course_utils import datasets
from course_utils.lstm import chorale_lstm, generation
from course_utils.scores import from_grid


def chorale_nats(model, pieces: list[dict], steered: bool = False, batch: int = 16,
                 transpositions: tuple[int, ...] = generation.AVERAGED) -> list[np.ndarray]:
    """Measure a chorale LSTM over whole pieces: negative log-likelihood of each pitch in nats,
    (steps, 4) of each piece.

    A cell is one voice on one sixteenth, rests included, the first step included, as in the JSB
    Chorales benchmark (Boulanger-Lewandowski et al. 2012). The beat is known; onsets, fermatas and
    key are not, unless `steered`.

    Args:
        model: a `chorale_lstm.ChoraleLSTM`.
        pieces: `chorale_lstm.chorale_inputs` of each piece.
        steered: whether the network may see previous onsets, fermatas and key.
        batch: pieces measured at a time, padded to a common length.
        transpositions: whose predictions are averaged, as in `generation.sample`.
    """
    nats, longest = [], max(len(p["beat"]) for p in pieces)
    for first in range(0, len(pieces), batch):
        group = pieces[first : first + batch]
        plan = {name: _stack(group, name, longest, steered or name == "beat")
                for name in ("beat", "phrase", "key")}
        given = [_stack(group, name, longest) for name in ("tokens", "onsets")]
        measured = generation.sample(model, plan, *given, seed=0, transpositions=transpositions,
                                     onsets_seen=steered)[2]
        nats += [rows[: len(p["beat"])] for rows, p in zip(measured, group)]
    return nats


def _stack(group: list[dict], name: str, steps: int, shown: bool = True) -> np.ndarray:
    out = np.zeros((len(group), steps, *group[0][name].shape[1:]), np.int32)
    for row, piece in zip(out, group if shown else ()):
        row[: len(piece[name])] = piece[name]
    return out


def nats_per_cell(nats: list[np.ndarray]) -> float:
    """Return the benchmark figure: the sum over all cells of all pieces, divided by their
    number.

    Example:
        >>> import numpy as np
        >>> from course_utils.lstm import evaluation
        >>> evaluation.nats_per_note([np.full((4, 4), 1.0), np.full((12, 4), 0.0)])
        0.25
    """
    sums, cells = totals(nats)
    return float(sums.sum() / cells.sum())


def totals(nats: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the sum of nats and the number of cells of each piece, as a bootstrap needs them.

    Notebook: 08_lstm_composes_chorales
    """
    return (np.array([piece.sum(dtype=np.float64) for piece in nats]),
            np.array([piece.size for piece in nats]))


@functools.cache
def metres() -> tuple[dict[tuple[int, int], float], float]:
    """Return how probable each metre (bar, first beat) is at the start of a training chorale, and
    that it is another one.
    """
    counts = collections.Counter((int(s.bar[0]), int(s.beat[0]))
                                 for s in datasets.chorales("train"))
    counts = {metre: n for metre, n in counts.items() if metre[0] in chorale_lstm.BEATS and n > 1}
    total = sum(counts.values()) + 1
    return {metre: n / total for metre, n in counts.items()}, 1 / total


def chorale_nll(grid: np.ndarray, model=None) -> float:
    """Score a piece of which nothing but the pitches is known, in nats per cell.

    The metre is not known either, so the figure is that of a mixture: the piece's likelihood under
    each metre that Bach's chorales begin with, weighted by how often they do. The first step is
    taken to lie on a quarter.

    Args:
        grid: (steps, 4) integers on sixteenths, soprano to bass: MIDI pitches 30 to 88, -1 for a
            rest.
        model: a `chorale_lstm.ChoraleLSTM`; the shipped one by default.

    Raises:
        ValueError: if the grid has another shape or kind, or pitches out of range.
    """
    grid = np.asarray(grid)
    if grid.ndim != 2 or grid.shape[1] != 4 or not len(grid) or grid.dtype.kind not in "iu":
        raise ValueError("A piece is a table (steps, 4) of whole numbers, one column a voice, not "
                         f"{grid.dtype} in {grid.shape}.")
    known, another = metres()
    starts = [from_grid(grid, bar=bar, pickup=-beat % bar) for bar, beat in known]
    pieces = [chorale_lstm.chorale_inputs(score) for score in starts]
    pieces.append(pieces[0] | {"beat": np.zeros(len(grid), np.int32)})
    model = model or chorale_lstm.load()
    log_p = -np.array([nats.sum(dtype=np.float64) for nats in chorale_nats(model, pieces)])
    return float(-np.logaddexp.reduce(log_p + np.log([*known.values(), another])) / grid.size)
