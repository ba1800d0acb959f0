"""The chorale LSTM of notebook 08: what it reads of a score, the network, its loss, and the windows
that it learns from.
"""
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from course_utils import environment
from course_utils.lstm.memory import LENGTHS
from course_utils.lstm.ngrams import ORDER, START, TRANSPOSITIONS
from course_utils.outside import archives
from course_utils.scores import VOCABULARY, Score, to_tokens

BEATS = {16: 1, 12: 17, 24: 29}
PHRASE_STEPS = 32
INPUTS = {"previous": 4, "struck": 4, "tokens": 4, "onsets": 4, "beat": None, "phrase": None,
          "key": None}


def chorale_inputs(score: Score) -> dict[str, np.ndarray]:
    """Return what the chorale LSTM reads of a score, everything known (0 stands for "unknown" in
    the last four).

    Returns:
        int32 arrays: `tokens` and `onsets` (steps, 4), what is predicted; `previous` (steps, 4),
        the tokens one step earlier; `struck` (steps, 4), 2 where the previous step's note was
        struck, 1 where it was held; `beat`, `phrase`, `key` (steps,).

    Example:
        >>> from course_utils.lstm import chorale_lstm
        >>> from course_utils.scores import planning
        >>> inputs = chorale_lstm.chorale_inputs(planning.plan_chorale(1, key=7))
        >>> inputs["tokens"].shape, int(inputs["key"][0])  # 1 + the key, since 0 is "unknown"
        ((32, 4), 8)
    """
    tokens = to_tokens(score.pitches)
    previous = np.vstack([np.full((1, 4), START), tokens[:-1]])
    struck = np.vstack([np.zeros((1, 4)), 1 + score.onsets[:-1]])
    beat = np.array([BEATS[bar] + b if bar in BEATS else 0
                     for bar, b in zip(score.bar.tolist(), score.beat.tolist())])
    key = np.full(len(score), 0 if score.key is None else 1 + score.key)
    columns = {"previous": previous, "struck": struck, "tokens": tokens, "onsets": score.onsets,
               "beat": beat, "phrase": phrase_position(score.fermata), "key": key}
    return {name: np.asarray(column, np.int32) for name, column in columns.items()}


def phrase_position(fermata: np.ndarray) -> np.ndarray:
    """Number each step by how far the next fermata is: 1 under it, up to 32; plus 32 in the last
    phrase; 0 if none.

    Args:
        fermata: (steps,) bool.

    Returns:
        (steps,) int32, 0..64.

    Example:
        >>> import numpy as np
        >>> from course_utils.lstm import chorale_lstm
        >>> chorale_lstm.phrase_position(np.array([False, False, True, False, True])).tolist()
        [3, 2, 1, 34, 33]
    """
    position, distance, last = np.zeros(len(fermata), np.int32), None, True
    for step in range(len(fermata) - 1, -1, -1):
        if fermata[step]:
            if distance is not None and distance > 0:
                last = False
            distance = 0
        elif distance is not None:
            distance += 1
        if distance is not None:
            position[step] = 1 + min(distance, PHRASE_STEPS - 1) + (PHRASE_STEPS if last else 0)
    return position


def turned(key, semitones):
    """Transpose keys: 1..12 major, 13..24 minor, 0 unknown, as `chorale_inputs` gives them, arrays
    or tensors.
    """
    known = (key + 23) // 24
    return known * (1 + (key - 1) // 12 * 12 + (key - 1 + semitones) % 12)


def onset_patterns(tokens, previous):
    """Return which of the 16 patterns of struck notes are possible, as bool (..., 16).

    A rest is never struck, a new pitch always is; only a repeated pitch may be either. Pattern
    number `s + 2a + 4t + 8b` strikes the voices whose bit is 1.
    """
    bits = tf.constant((np.arange(16)[:, None] >> np.arange(4)) & 1 == 1)
    sounding, changed = (tokens != 0)[..., None, :], (tokens != previous)[..., None, :]
    return ops.all((bits & sounding) | (~bits & ~(sounding & changed)), axis=-1)


class ChoraleLSTM(keras.Model):
    """Four-part music, one time step after another.

    Notebook: 08_lstm_composes_chorales

    Two LSTM layers carry the state over time. Within a step the voices are predicted one after the
    other (soprano, bass, alto, tenor), each seeing those already chosen: the chain rule over voices
    and time. A last head says which of the 16 patterns of struck notes it is. `trust` is how far
    the samplers mix in a memory of the piece's own past (course_utils.lstm.memory); it is fitted
    after training, and zero before.
    """

    def __init__(self, units: int = 256, embedding: int = 32, dropout: float = 0.3):
        super().__init__()
        self.pitch = layers.Embedding(4 * (VOCABULARY + 1), embedding)
        self.beat = layers.Embedding(53, 16)
        self.phrase = layers.Embedding(2 * PHRASE_STEPS + 1, 16)
        self.key = layers.Embedding(25, 16)
        self.lstms = [layers.LSTM(units, return_sequences=True) for _ in range(2)]
        self.hidden = [layers.Dense(units, "relu") for _ in ORDER]
        self.logits = [layers.Dense(VOCABULARY) for _ in ORDER]
        self.onset_hidden = layers.Dense(units // 4, "relu")
        self.onset_logits = layers.Dense(16)
        self.drop = layers.Dropout(dropout)
        self.units = units
        self.trust = self.add_weight(shape=(4, 1 + len(LENGTHS), 2), initializer="zeros",
                                     trainable=False, name="trust")
        blank = np.zeros((1, 1, 4), np.int32)
        self({name: blank if width else blank[..., 0] for name, width in INPUTS.items()})

    def embed(self, tokens):
        """Turn tokens (..., 4) into vectors (..., 4, embedding), with a table for each voice."""
        return self.pitch(tokens + np.arange(4, dtype=np.int32) * (VOCABULARY + 1))

    def read(self, previous, struck, beat, phrase, key):
        """Return the recurrent layers' input and the part of it that the heads see again."""
        seen = ops.concatenate([_flat(self.embed(previous)), self.beat(beat), self.phrase(phrase),
                                self.key(key)], axis=-1)
        return ops.concatenate([seen, _flat(ops.one_hot(struck, 3))], axis=-1), seen

    def initial_states(self, batch):
        """Return zero states of all LSTM layers, for `advance`."""
        return [(ops.zeros((batch, self.units)), ops.zeros((batch, self.units)))
                for _ in self.lstms]

    def advance(self, previous, struck, context: list, states: list):
        """Move one time step on: return what the heads see (batch, features) and the new LSTM
        states.
        """
        x, seen = self.read(previous, struck, *context)
        outputs, moved = [], []
        for lstm, state in zip(self.lstms, states, strict=True):
            x, new = lstm.cell(x, list(state))
            outputs.append(x)
            moved.append(tuple(new))
        return ops.concatenate([*outputs, seen], axis=-1), moved

    def voice(self, rank: int, state, chosen: list, training=False):
        """Return logits (..., vocabulary) of the voice that comes `rank`-th, given the embedded
        voices before it.
        """
        hidden = self.hidden[rank](ops.concatenate([state, *chosen], axis=-1))
        return self.logits[rank](self.drop(hidden, training=training))

    def onset(self, state, vectors, tokens, previous):
        """Return log-probabilities (..., 16) of the patterns of struck notes, given all four
        pitches.
        """
        logits = self.onset_logits(
            self.onset_hidden(ops.concatenate([state, _flat(vectors)], axis=-1)))
        return ops.log_softmax(ops.where(onset_patterns(tokens, previous), logits, -1e9))

    def call(self, inputs, training=False):
        """Return log-probabilities: pitches (batch, steps, 4, vocabulary), onset patterns (batch,
        steps, 16).
        """
        tokens, previous = inputs["tokens"], inputs["previous"]
        x, seen = self.read(previous, inputs["struck"], inputs["beat"], inputs["phrase"],
                            inputs["key"])
        outputs = []
        for lstm in self.lstms:
            x = self.drop(lstm(x), training=training)
            outputs.append(x)
        state = ops.concatenate([*outputs, seen], axis=-1)
        vectors = self.embed(tokens)
        chosen = [vectors[..., voice, :] for voice in ORDER]
        logits = [self.voice(rank, state, chosen[:rank], training) for rank in range(4)]
        pitches = ops.stack([logits[ORDER.index(voice)] for voice in range(4)], axis=-2)
        return ops.log_softmax(pitches), self.onset(state, vectors, tokens, previous)


def _flat(x):
    return ops.reshape(x, (*ops.shape(x)[:-2], x.shape[-2] * x.shape[-1]))  # (..., voices * size)


def chorale_nll(model: ChoraleLSTM, inputs: dict, training: bool = False):
    """Return negative log-likelihoods in nats: pitches (batch, steps, 4) and onset patterns (batch,
    steps).
    """
    pitches, onsets = model(inputs, training=training)
    pattern = ops.sum(inputs["onsets"] * np.array([1, 2, 4, 8], np.int32), axis=-1)
    return -_pick(pitches, inputs["tokens"]), -_pick(onsets, pattern)


def chorale_loss(model: ChoraleLSTM, batch: dict):
    """Return what training makes small: the mean nats of a pitch, and a quarter of those of an
    onset pattern, a scalar.
    """
    pitches, onsets = chorale_nll(model, batch, training=True)
    return ops.mean(pitches) + ops.mean(onsets) / 4


def _pick(log_probabilities, index):
    return ops.squeeze(ops.take_along_axis(log_probabilities, index[..., None], axis=-1), axis=-1)


def load() -> ChoraleLSTM:
    """Return the chorale LSTM with its shipped weights (trained by `python -m benchmarks.weights
    chorale_lstm`).
    """
    model = ChoraleLSTM()
    return archives.read_weights(model, environment.shipped("weights/chorale_lstm.weights.h5"))


def chorale_windows(pieces: list[dict], batch: int, steps: int, seed: int) -> Callable[[int], dict]:
    """Return a function from a step number to a random batch of windows, transposed at random.

    What a composer may leave open is hidden at random: phrase and key in half of the windows, the
    previous step's onsets in another half, the beat in a tenth. The same seed and number always
    give the same batch.

    Args:
        pieces: `chorale_inputs` of each piece.
        batch: windows a batch.
        steps: window length in sixteenths; no piece may be shorter.
        seed: seed of all choices.

    Example:
        >>> from course_utils.lstm import chorale_lstm
        >>> from course_utils.scores import planning
        >>> pieces = [chorale_lstm.chorale_inputs(planning.plan_chorale(2))]
        >>> chorale_lstm.chorale_windows(pieces, batch=3, steps=16, seed=0)(1)["tokens"].shape
        (3, 16, 4)
    """
    lengths = np.array([len(p["beat"]) for p in pieces])
    if lengths.min() < steps:
        raise ValueError(f"A piece has {lengths.min()} steps, fewer than the window's {steps}. "
                         "Choose a shorter window.")

    def make(number: int) -> dict:
        rng = np.random.default_rng([seed, number])
        chosen = rng.choice(len(pieces), batch, p=lengths / lengths.sum())
        starts = np.maximum(0, rng.integers(-16, lengths[chosen] - steps + 1))
        windows = {name: np.stack([pieces[i][name][s : s + steps] for i, s in zip(chosen, starts)])
                   for name in INPUTS}
        return _hide(_transpose(windows, rng.choice(TRANSPOSITIONS, batch)), rng)

    return make


def _transpose(windows: dict, semitones: np.ndarray) -> dict:
    shift = semitones[:, None, None]
    moved = {name: np.where((windows[name] == 0) | (windows[name] == START), windows[name],
                            windows[name] + shift) for name in ("tokens", "previous")}
    key = turned(windows["key"], semitones[:, None])
    return (windows | {name: column.astype(np.int32)
                       for name, column in (moved | {"key": key}).items()})


def _hide(windows: dict, rng: np.random.Generator) -> dict:
    batch = len(windows["key"])
    known = {"phrase": 0.5, "key": 0.5, "struck": 0.5, "beat": 0.9}
    hidden = {}
    for name, probability in known.items():
        keep = (rng.random(batch) < probability).astype(np.int32)
        # keep: (batch, 1, ...)
        hidden[name] = windows[name] * keep.reshape(-1, *[1] * (windows[name].ndim - 1))
    return windows | hidden
