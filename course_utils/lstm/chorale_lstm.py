"""The Keras architectures of the course, one builder each, and what they read."""
import json

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from course_utils import environment
from course_utils.memory import LENGTHS
from course_utils.scores import VOCABULARY, Score, to_tokens

ORDER = (0, 3, 1, 2)
START = VOCABULARY
BEATS = {16: 1, 12: 17, 24: 29}
PHRASE_STEPS = 32
INPUTS = {"previous": 4, "struck": 4, "tokens": 4, "onsets": 4, "beat": None, "phrase": None, "key": None}


def chorale_inputs(score: Score) -> dict[str, np.ndarray]:
    """Return what the chorale LSTM reads of a score, everything known (0 stands for "unknown" in the last four).

    Returns:
        int32 arrays: `tokens` and `onsets` (steps, 4), what is predicted; `previous` (steps, 4), the tokens one step
        earlier; `struck` (steps, 4), 2 where the previous step's note was struck, 1 where it was held;
        `beat`, `phrase`, `key` (steps,).
    """
    tokens = to_tokens(score.pitches)
    previous = np.vstack([np.full((1, 4), START), tokens[:-1]])
    struck = np.vstack([np.zeros((1, 4)), 1 + score.onsets[:-1]])
    beat = np.array([BEATS[bar] + b if bar in BEATS else 0 for bar, b in zip(score.bar.tolist(), score.beat.tolist())])
    key = np.full(len(score), 0 if score.key is None else 1 + score.key)
    columns = {"previous": previous, "struck": struck, "tokens": tokens, "onsets": score.onsets, "beat": beat,
               "phrase": phrase_position(score.fermata), "key": key}
    return {name: np.asarray(column, np.int32) for name, column in columns.items()}


def phrase_position(fermata: np.ndarray) -> np.ndarray:
    """Number each step by how far the next fermata is: 1 under it, up to 32; plus 32 in the last phrase; 0 if none.

    Args:
        fermata: (steps,) bool.

    Returns:
        (steps,) int32, 0..64.
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
    """Transpose keys: 1..12 major, 13..24 minor, 0 unknown, as `chorale_inputs` gives them, arrays or tensors."""
    known = (key + 23) // 24
    return known * (1 + (key - 1) // 12 * 12 + (key - 1 + semitones) % 12)


def onset_patterns(tokens, previous):
    """Return which of the 16 patterns of struck notes are possible, as bool (..., 16).

    A rest is never struck, a new pitch always is; only a repeated pitch may be either. Pattern number
    `s + 2a + 4t + 8b` strikes the voices whose bit is 1.
    """
    bits = tf.constant((np.arange(16)[:, None] >> np.arange(4)) & 1 == 1)
    sounding, changed = (tokens != 0)[..., None, :], (tokens != previous)[..., None, :]
    return ops.all((bits & sounding) | (~bits & ~(sounding & changed)), axis=-1)


class ChoraleLSTM(keras.Model):
    """Four-part music, one time step after another (taught in 08_lstm_composes_chorales).

    Two LSTM layers carry the state over time. Within a step the voices are predicted one after the other
    (soprano, bass, alto, tenor), each seeing those already chosen: the chain rule over voices and time.
    A last head says which of the 16 patterns of struck notes it is. `trust` is how far the samplers mix in a memory
    of the piece's own past (course_utils.memory); it is fitted after training, and zero before.
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
        self.trust = self.add_weight(shape=(4, 1 + len(LENGTHS), 2), initializer="zeros", trainable=False, name="trust")
        blank = np.zeros((1, 1, 4), np.int32)
        self({name: blank if width else blank[..., 0] for name, width in INPUTS.items()})

    def embed(self, tokens):
        """Turn tokens (..., 4) into vectors (..., 4, embedding), with a table for each voice."""
        return self.pitch(tokens + np.arange(4, dtype=np.int32) * (VOCABULARY + 1))

    def read(self, previous, struck, beat, phrase, key):
        """Return the recurrent layers' input and the part of it that the heads see again."""
        seen = ops.concatenate([_flat(self.embed(previous)), self.beat(beat), self.phrase(phrase), self.key(key)], axis=-1)
        return ops.concatenate([seen, _flat(ops.one_hot(struck, 3))], axis=-1), seen

    def initial_states(self, batch):
        """Return zero states of all LSTM layers, for `advance`."""
        return [(ops.zeros((batch, self.units)), ops.zeros((batch, self.units))) for _ in self.lstms]

    def advance(self, previous, struck, context: list, states: list):
        """Move one time step on: return what the heads see (batch, features) and the new LSTM states."""
        x, seen = self.read(previous, struck, *context)
        outputs, moved = [], []
        for lstm, state in zip(self.lstms, states, strict=True):
            x, new = lstm.cell(x, list(state))
            outputs.append(x)
            moved.append(tuple(new))
        return ops.concatenate([*outputs, seen], axis=-1), moved

    def voice(self, rank: int, state, chosen: list, training=False):
        """Return logits (..., vocabulary) of the voice that comes `rank`-th, given the embedded voices before it."""
        hidden = self.hidden[rank](ops.concatenate([state, *chosen], axis=-1))
        return self.logits[rank](self.drop(hidden, training=training))

    def onset(self, state, vectors, tokens, previous):
        """Return log-probabilities (..., 16) of the patterns of struck notes, given all four pitches."""
        logits = self.onset_logits(self.onset_hidden(ops.concatenate([state, _flat(vectors)], axis=-1)))
        return ops.log_softmax(ops.where(onset_patterns(tokens, previous), logits, -1e9))

    def call(self, inputs, training=False):
        """Return log-probabilities: pitches (batch, steps, 4, vocabulary), onset patterns (batch, steps, 16)."""
        tokens, previous = inputs["tokens"], inputs["previous"]
        x, seen = self.read(previous, inputs["struck"], inputs["beat"], inputs["phrase"], inputs["key"])
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
    return ops.reshape(x, (*ops.shape(x)[:-2], x.shape[-2] * x.shape[-1]))


def chorale_nll(model: ChoraleLSTM, inputs: dict, training: bool = False):
    """Return negative log-likelihoods in nats: pitches (batch, steps, 4) and onset patterns (batch, steps)."""
    pitches, onsets = model(inputs, training=training)
    pattern = ops.sum(inputs["onsets"] * np.array([1, 2, 4, 8], np.int32), axis=-1)
    return -_pick(pitches, inputs["tokens"]), -_pick(onsets, pattern)


def chorale_loss(model: ChoraleLSTM, batch: dict):
    """Return what training makes small: the mean nats of a pitch, and a quarter of those of an onset pattern, a scalar."""
    pitches, onsets = chorale_nll(model, batch, training=True)
    return ops.mean(pitches) + ops.mean(onsets) / 4


def _pick(log_probabilities, index):
    return ops.squeeze(ops.take_along_axis(log_probabilities, index[..., None], axis=-1), axis=-1)


def load_chorale_lstm() -> ChoraleLSTM:
    """Return the chorale LSTM with its shipped weights (trained by `python -m tools.train_weights chorale_lstm`)."""
    model = ChoraleLSTM()
    model.load_weights(environment.shipped("weights/chorale_lstm.weights.h5"))
    return model


def model_card(name: str) -> dict:
    """Return the recipe and the measured figures of shipped weights, such as those of "chorale_lstm"."""
    return json.loads(environment.shipped(f"weights/{name}.json").read_text(encoding="utf-8"))


def audio_lstm(outputs: int = 64, activation: str | None = None, bins: int = 64, hidden: int = 128) -> keras.Model:
    """Build the network that predicts the next frame of audio features (written out in 07_lstm_continues_audio).

    Args:
        outputs: numbers a frame: the bins of the next frame, or one logit for each code of a codebook.
        activation: of the output layer; None for any real number.
        bins: numbers in a frame that goes in.
        hidden: LSTM units.

    Returns:
        A model from (batch, frames, bins) to (batch, frames, outputs).
    """
    frames = keras.Input((None, bins))
    states = layers.LSTM(hidden, return_sequences=True)(frames)
    return keras.Model(frames, layers.Dense(outputs, activation)(states))


def mixture_nll(y, outputs):
    """Return the negative log-likelihood of numbers under a mixture of Gaussians (written out in 07_lstm_continues_audio).

    Bishop, "Mixture density networks" (1994).

    Args:
        y: (batch, 1), what happened.
        outputs: (batch, 3 * components): logits of the components, their means, and the logarithms of their widths.

    Returns:
        (batch,) in nats.
    """
    logits, means, log_widths = ops.split(outputs, 3, axis=-1)
    distance = (y - means) / ops.exp(log_widths)
    log_density = -0.5 * distance**2 - log_widths - 0.5 * np.log(2 * np.pi)
    return -ops.logsumexp(ops.log_softmax(logits) + log_density, axis=-1)


def frame_cnn(classes: int = 8, dropout: float = 0.0, weight_decay: float = 0.0) -> keras.Model:
    """Build the 1-D CNN on frames of 1024 samples (written out in 05_cnn_hears_timbre).

    Args:
        classes: what it tells apart.
        dropout: share of the numbers before the last layer that are set to 0 in training.
        weight_decay: times the sum of all squared weights, added to the loss.

    Returns:
        A model from (batch, 1024, 1) to probabilities (batch, classes).
    """
    small = keras.regularizers.L2(weight_decay)
    return keras.Sequential([
        keras.Input((1024, 1)),
        layers.Conv1D(32, 5, activation="relu", kernel_regularizer=small),
        layers.MaxPooling1D(2),
        layers.Conv1D(64, 3, activation="relu", kernel_regularizer=small),
        layers.MaxPooling1D(2),
        layers.Flatten(),
        layers.Dropout(dropout),
        layers.Dense(classes, "softmax", kernel_regularizer=small),
    ])


def picture_cnn(classes: int = 8, dropout: float = 0.3) -> keras.Model:
    """Build a 2-D CNN on log-mel spectrograms of whole notes (written out in 05_cnn_hears_timbre).

    Args:
        classes: what it tells apart.
        dropout: before the last layer.

    Returns:
        A model from (batch, 63, 64) to probabilities (batch, classes).
    """
    return keras.Sequential([
        keras.Input((63, 64)),
        layers.Reshape((63, 64, 1)),
        layers.Conv2D(16, 5, strides=2, padding="same", activation="relu"),
        layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2D(64, 3, strides=2, padding="same", activation="relu"),
        layers.GlobalAveragePooling2D(),
        layers.Dropout(dropout),
        layers.Dense(classes, "softmax"),
    ])


def timbre_cnn(classes: int = 8, channels: int = 64, dropout: float = 0.3) -> keras.Model:
    """Build the CNN that hears timbre (written out in 05_cnn_hears_timbre).

    It sees two coarse pictures of a note in 16 broad bands: the outline of the spectrum, and its texture, which is how much
    neighbouring mel bands differ. Filters slide over time, and the whole note is pooled.

    Args:
        classes: what it tells apart.
        channels: filters of each layer.
        dropout: before each of the last two layers.

    Returns:
        A model from (batch, 63, 64), `timbre.pictures`, to probabilities (batch, classes);
        its layer "embedding" gives (batch, 64).
    """
    note = keras.Input((63, 64))
    texture = ops.abs(note - ops.roll(note, 1, axis=2))
    broad = [ops.mean(ops.reshape(picture, (-1, 63, 16, 4)), axis=3) for picture in (note, texture)]
    x = layers.GaussianNoise(0.1)(layers.Concatenate()(broad))
    for _ in range(3):
        x = layers.Conv1D(channels, 5, strides=2, padding="same", use_bias=False)(x)
        x = layers.SpatialDropout1D(0.1)(layers.ReLU()(layers.BatchNormalization()(x)))
    x = layers.Concatenate()([layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x)])
    x = layers.Dense(64, "relu", name="embedding")(layers.Dropout(dropout)(x))
    return keras.Model(note, layers.Dense(classes, "softmax")(layers.Dropout(dropout)(x)))


def load_timbre_cnn() -> keras.Model:
    """Return `timbre_cnn` with its shipped weights (trained by `python -m tools.train_weights timbre_cnn`)."""
    model = timbre_cnn()
    model.load_weights(environment.shipped("weights/timbre_cnn.weights.h5"))
    return model
