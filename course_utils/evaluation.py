"""Measures of generated music."""
import numpy as np
import tensorflow as tf

from course_utils import networks


def chorale_nll(model, pieces: list[dict], steered: bool = False, batch: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """Measure a chorale LSTM over whole pieces: total negative log-likelihood of the pitches, and number of notes.

    A "note" is one voice on one sixteenth, rests included, the first step included, as in the JSB Chorales benchmark
    (Boulanger-Lewandowski et al. 2012). The beat is known; onsets, fermatas and key are not, unless `steered`.

    Args:
        model: a `networks.ChoraleLSTM`.
        pieces: `networks.chorale_inputs` of each piece.
        steered: whether the network may see previous onsets, fermatas and key.
        batch: pieces measured at a time, padded to a common length.

    Returns:
        Two arrays, one entry a piece: nats (float64) and notes (int). Their sums' quotient is the benchmark figure.
    """
    longest = -(-max(len(p["beat"]) for p in pieces) // 64) * 64
    measure = tf.function(lambda inputs: networks.chorale_nll(model, inputs)[0])
    nats = []
    for first in range(0, len(pieces), batch):
        group = pieces[first : first + batch]
        group = group + group[:1] * (batch - len(group))
        nll = measure({name: tf.constant(_stack(group, name, longest, steered)) for name in networks.INPUTS}).numpy()
        nats += [float(rows[: len(p["beat"])].sum(dtype=np.float64)) for rows, p in zip(nll, group)]
    return np.array(nats[: len(pieces)]), np.array([4 * len(p["beat"]) for p in pieces])


def _stack(group: list[dict], name: str, steps: int, steered: bool) -> np.ndarray:
    out = np.zeros((len(group), steps, *group[0][name].shape[1:]), np.int32)
    if steered or name not in ("struck", "phrase", "key"):
        for row, piece in zip(out, group):
            row[: len(piece[name])] = piece[name]
    return out
