"""The variants of the chorale network that `benchmarks.ablation` trains: other inputs, layers, losses, music."""
import functools
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf
from keras import layers, ops
from tqdm import tqdm

from course_utils import environment, networks, scores
from course_utils.score_files import to_step
from tools.build_chorales import read_voice


def without(*names: str) -> Callable[[dict], dict]:
    """Return a change of a batch or piece: some inputs are never known."""
    return lambda batch: batch | {name: np.zeros_like(batch[name]) for name in names}


def in_c(piece: dict) -> dict:
    """Move a piece to C major or C minor."""
    tonic = (int(piece["key"][0]) - 1) % 12
    up = (5 - tonic) % 12 - 5
    return piece | {name: np.where((piece[name] == 0) | (piece[name] == networks.START), piece[name], piece[name] + up)
                    for name in ("tokens", "previous")}


@functools.cache
def renaissance(least: int) -> list[dict]:
    """Return what the network reads of Palestrina's four-part movements in the music21 corpus, four times as fast as written.

    Args:
        least: steps; shorter movements are left out.
    """
    from music21 import corpus

    files = sorted(path for path in corpus.getComposer("palestrina")
                   if re.search(r"^\*\*kern(\t\*\*kern){3}$", Path(path).read_text(errors="replace"), re.MULTILINE))
    found = []
    for file in tqdm(files[::3], disable=environment.quiet()):
        parts = list(corpus.parse(file).parts)
        length = max(to_step(part.highestTime) for part in parts)
        pitches = np.stack([read_voice(part, length)["pitch"][::4] for part in parts], axis=1)
        if len(pitches) >= least and pitches.max() <= 82:
            found.append(networks.chorale_inputs(scores.from_grid(pitches)))
    return found


def noisy(batch: dict) -> dict:
    """Replace a twentieth of the notes that the network reads by random ones."""
    rng = np.random.default_rng(int(batch["tokens"].sum()))
    wrong = rng.random(batch["previous"].shape) < 0.05
    return batch | {"previous": np.where(wrong, rng.integers(1, networks.START, wrong.shape, np.int32), batch["previous"])}


def smoothed(model, batch: dict):
    """Return the cross-entropy with a twentieth of the probability spread over all notes."""
    log_p = model(batch, training=True)[0]
    right = tf.gather(log_p, batch["tokens"], batch_dims=3)
    return -tf.reduce_mean(0.95 * right + 0.05 * tf.reduce_mean(log_p, axis=-1))


def same(batch: dict) -> dict:
    """Leave a batch as it is."""
    return batch


class Hearing(networks.ChoraleLSTM):
    """The network with something more to read, worked out from the notes that it reads anyway."""

    def more(self, previous):
        """Return what is added, (batch, steps, features) float32."""
        raise NotImplementedError

    def read(self, previous, struck, beat, phrase, key):
        x, seen = super().read(previous, struck, beat, phrase, key)
        more = self.more(previous)
        return ops.concatenate([x, more], axis=-1), ops.concatenate([seen, more], axis=-1)


class Intervals(Hearing):
    """It also reads how many semitones each of the six pairs of voices is apart."""

    def more(self, previous):
        pairs = [previous[..., high] - previous[..., low] for high in range(4) for low in range(high + 1, 4)]
        return ops.concatenate([ops.one_hot(ops.clip(pair + 12, 0, 48), 49) for pair in pairs], axis=-1)


class Ages(Hearing):
    """It also reads for how many sixteenths each voice has not moved."""

    def more(self, previous):
        places = ops.arange(ops.shape(previous)[1], dtype="int32")[None, :, None]
        moved = ops.concatenate([ops.ones_like(previous[:, :1]), ops.cast(previous[:, 1:] != previous[:, :-1], "int32")], axis=1)
        age = ops.minimum(places - ops.associative_scan(ops.maximum, places * moved, axis=1), 16)
        return ops.reshape(ops.one_hot(age, 17), (*ops.shape(previous)[:2], 68))


class PitchClasses(Hearing):
    """It also reads how often each pitch class has sounded so far in the window: a key that nobody has to tell it."""

    def more(self, previous):
        sounding = ops.cast((previous > 0) & (previous < networks.START), "float32")[..., None]
        heard = ops.cumsum(ops.sum(sounding * ops.one_hot(previous % 12, 12), axis=2), axis=1)
        return heard / ops.maximum(ops.sum(heard, axis=-1, keepdims=True), 1.0)


class Holding(networks.ChoraleLSTM):
    """A gate decides whether a voice stays where it is; only the rest of the probability is the softmax's (a copy mechanism)."""
    gates = None

    def call(self, inputs, training=False):
        self.now = inputs["previous"]
        return super().call(inputs, training)

    def voice(self, rank, state, chosen, training=False):
        if self.gates is None:
            self.gates = [layers.Dense(1) for _ in networks.ORDER]
        gate = self.gates[rank](state)
        stay = ops.one_hot(self.now[..., networks.ORDER[rank]], networks.VOCABULARY)
        other = ops.log_softmax(super().voice(rank, state, chosen, training)) + ops.log_sigmoid(-gate)
        return ops.logaddexp(other, ops.log_sigmoid(gate) + ops.log(stay + 1e-9))


class Normed(layers.LSTM):
    """An LSTM whose output is normalised (Ba et al. 2016, around the cell and not in it)."""

    def __init__(self, units, **how):
        super().__init__(units, **how)
        self.norm = layers.LayerNormalization()

    def call(self, sequences, initial_state=None, mask=None, training=False):
        return self.norm(super().call(sequences, initial_state, mask, training))


class Residual(layers.LSTM):
    """An LSTM that adds to its input, where both are of the same length."""

    def call(self, sequences, initial_state=None, mask=None, training=False):
        found = super().call(sequences, initial_state, mask, training)
        return sequences + found if sequences.shape[-1] == self.units else found


class Tied(networks.ChoraleLSTM):
    """The table that reads a pitch also scores it: logits are products with the embedded pitches (Press and Wolf 2017)."""
    projections = None

    def voice(self, rank, state, chosen, training=False):
        if self.projections is None:
            self.projections = [layers.Dense(self.pitch.output_dim) for _ in networks.ORDER]
        hidden = self.drop(self.hidden[rank](ops.concatenate([state, *chosen], axis=-1)), training=training)
        pitches = np.arange(networks.VOCABULARY) + networks.ORDER[rank] * (networks.VOCABULARY + 1)
        return self.projections[rank](hidden) @ ops.transpose(self.pitch(pitches))


SECOND = "the recipe, another seed"
VARIANTS: dict[str, dict] = {
    "the recipe": {},
    "no transposition in training": {"semitones": (0,)},
    "no dropout": {"network": {"dropout": 0.0}},
    "dropout 0.5": {"network": {"dropout": 0.5}},
    "half the units (128)": {"network": {"units": 128}},
    "beat never known": {"piece": without("beat")},
    "voices in the order soprano, alto, tenor, bass": {"order": (0, 1, 2, 3)},
    "windows of 192 sixteenths, half as many": {"window": 192, "batch": 20},
    "label smoothing 0.05": {"loss": smoothed},
    "a twentieth of the inputs wrong": {"spoil": noisy},
    "intervals between the voices as inputs": {"build": Intervals},
    "sixteenths since each voice moved as inputs": {"build": Ages},
    "pitch classes so far as inputs": {"build": PitchClasses},
    "layer normalisation after each LSTM": {"lstm": Normed},
    "a residual connection around the second LSTM": {"lstm": Residual},
    "embeddings tied to the outputs": {"build": Tied},
    "weights averaged over training (0.98 a step)": {"average": 0.98},
    "all pieces moved to C, no transposition": {"piece": in_c, "semitones": (0,)},
    "a gate that holds a note": {"build": Holding},
    SECOND: {"seed": 2},
    "as many steps on Palestrina before": {"before": renaissance},
    "twice as many steps": {"steps": 800},
    "recurrent dropout 0.3 as well": {"lstm": functools.partial(layers.LSTM, recurrent_dropout=0.3)},
    "a constant learning rate": {"schedule": lambda *_, warmup_target, **how: warmup_target},
}
