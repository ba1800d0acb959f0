"""What each part of the chorale network is worth, in nats per note: `python -m benchmarks.ablation` writes ablation.md.

Part one takes the shipped weights as they are. Part two trains each variant anew with the same short recipe, which takes an
hour; what is done is kept in the cache folder, and an interrupted run goes on.
"""
import json
import unittest.mock
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf
from keras import layers, ops
from tqdm import tqdm

from course_utils import datasets, environment, evaluation, memory, networks, ngrams, training

RECIPE = {"batch": 40, "window": 96, "steps": 400, "learning_rate": 3e-3, "seed": 1}
TABLE = Path(__file__).parent / "ablation.md"


def pieces(split: str) -> list[dict]:
    """Return what the network reads of all pieces of a split."""
    return [networks.chorale_inputs(score) for score in datasets.chorales(split)]


def shipped() -> list[tuple[str, float, float]]:
    """Measure the shipped network with more and more of what stands beside it: rows of name, validation, test."""
    model = networks.load_chorale_lstm()
    trust, rows = model.trust.numpy(), []
    data = {split: pieces(split) for split in ("valid", "test")}

    def add(name: str, **how) -> None:
        rows.append((name, *(evaluation.nats_per_note(evaluation.chorale_nats(model, data[split], **how)) for split in data)))

    model.trust.assign(np.zeros_like(trust))
    add("the network alone", transpositions=(0,))
    for reach in (1, 2, 3):
        add(f"average over {2 * reach + 1} transpositions", transpositions=tuple(range(-reach, reach + 1)))
    model.trust.assign(memory.fit_trust(evaluation.chorale_nats(model, data["valid"], transpositions=(0,)),
                                        [piece["tokens"] for piece in data["valid"]], networks.ORDER))
    add("memory of the piece, without averaging", transpositions=(0,))
    model.trust.assign(trust)
    add("both: 5 transpositions and memory (shipped)")
    add("both, and previous onsets, fermatas and key known", steered=True)
    bare = [[evaluation.chorale_nll(score.pitches, model) * score.pitches.size for score in datasets.chorales(split)]
            for split in data]
    rows.append(("both, and the metre unknown as well (`course_utils score`)",
                 *(sum(nats) / (4 * sum(len(p["beat"]) for p in data[split])) for nats, split in zip(bare, data, strict=True))))
    rows.append(("both, mixed with the counts of the back-off Markov model", *mixed(model, data)))
    rows.append(("the network alone, with dynamic evaluation", *(dynamic(data[split]) for split in data)))
    return rows


def mixed(model, data: dict[str, list[dict]]) -> list[float]:
    """Mix network and counts; the share of the counts is the best one on the validation pieces."""
    counts = ngrams.fit(ngrams.LADDER["Markov with back-off"], datasets.chorales("train"))
    p = [[np.exp(-np.concatenate(rows)) for rows in (evaluation.chorale_nats(model, data[split]), found)]
         for split in data for found in [[ngrams.note_nats(counts, score) for score in datasets.chorales(split)]]]
    costs = [[-np.log((1 - share) * network + share * markov).mean() for share in np.arange(0.02, 0.4, 0.02)]
             for network, markov in p]
    best = int(np.argmin(costs[0]))
    return [float(row[best]) for row in costs]


def dynamic(found: list[dict], segment: int = 32, rate: float = 0.05) -> float:
    """Let the network learn from each segment of a piece after it was scored (Krause et al. 2018); forget between pieces."""
    model, total, notes = networks.load_chorale_lstm(), 0.0, 0
    weights = [w.numpy() for w in model.trainable_variables]

    @tf.function(reduce_retracing=True)
    def step(inputs, first):
        with tf.GradientTape() as tape:
            nats = networks.chorale_nll(model, inputs)[0][:, first:]
            loss = tf.reduce_mean(nats)
        for w, g in zip(model.trainable_variables, tape.gradient(loss, model.trainable_variables), strict=True):
            if g is not None:
                w.assign_sub(rate * tf.convert_to_tensor(g))
        return tf.reduce_sum(nats)

    for piece in tqdm(found, disable=environment.quiet()):
        for w, value in zip(model.trainable_variables, weights, strict=True):
            w.assign(value)
        hidden = {name: np.zeros_like(piece[name]) for name in ("struck", "phrase", "key")}
        for first in range(0, len(piece["beat"]), segment):
            heard = {name: tf.constant(column[None, : first + segment]) for name, column in (piece | hidden).items()}
            total += float(step(heard, tf.constant(first)))
        notes += piece["tokens"].size
    return total / notes


def without(*names: str) -> Callable[[dict], dict]:
    """Return a change of a batch or piece: some inputs are never known."""
    return lambda batch: batch | {name: np.zeros_like(batch[name]) for name in names}


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


def plain(model, batch: dict):
    """Return the loss of the recipe."""
    pitches, onsets = networks.chorale_nll(model, batch, training=True)
    return tf.reduce_mean(pitches) + tf.reduce_mean(onsets) / 4


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


VARIANTS: dict[str, dict] = {
    "the recipe": {},
    "no transposition in training": {"semitones": (0,)},
    "no dropout": {"network": {"dropout": 0.0}},
    "dropout 0.5": {"network": {"dropout": 0.5}},
    "half the units (128)": {"network": {"units": 128}},
    "beat never known": {"piece": without("beat"), "batch": without("beat")},
    "voices in the order soprano, alto, tenor, bass": {"order": (0, 1, 2, 3)},
    "windows of 192 sixteenths, half as many": {"window": 192, "batch_size": 20},
    "label smoothing 0.05": {"loss": smoothed},
    "a twentieth of the inputs wrong": {"batch": noisy},
    "intervals between the voices as inputs": {"build": Intervals},
    "sixteenths since each voice moved as inputs": {"build": Ages},
    "pitch classes so far as inputs": {"build": PitchClasses},
    "layer normalisation after each LSTM": {"lstm": Normed},
    "a residual connection around the second LSTM": {"lstm": Residual},
    "embeddings tied to the outputs": {"build": Tied},
    "weights averaged over training (0.98 a step)": {"average": 0.98},
}


def trained(variant: dict, folder: Path) -> float:
    """Train one variant with the short recipe; return its best validation figure."""
    environment.seed_everything(RECIPE["seed"])
    order, semitones = variant.get("order", networks.ORDER), variant.get("semitones", training.TRANSPOSITIONS)
    with (unittest.mock.patch.multiple(networks, ORDER=order), unittest.mock.patch.multiple(training, TRANSPOSITIONS=semitones),
          unittest.mock.patch.object(networks.layers, "LSTM", variant.get("lstm", layers.LSTM))):
        model = variant.get("build", networks.ChoraleLSTM)(**variant.get("network", {}))
        valid = [variant.get("piece", same)(piece) for piece in pieces("valid")]
        found = [p for p in pieces("train") if len(p["beat"]) >= variant.get("window", 0)]
        window = variant.get("window", RECIPE["window"])
        windows = training.chorale_windows(found, variant.get("batch_size", RECIPE["batch"]), window, RECIPE["seed"])
        forced(model, valid[:1])
        change, average = variant.get("batch", same), variant.get("average", 0.0)
        averages = [tf.Variable(w) for w in model.trainable_variables]

        def batch(number: int) -> dict:
            for kept, weight in zip(averages, model.trainable_variables, strict=True):
                kept.assign(average * kept + (1 - average) * weight)
            return change(windows(number))

        def validation() -> float:
            trained = [w.numpy() for w in model.trainable_variables]
            for weight, kept in zip(model.trainable_variables, averages if average else trained, strict=True):
                weight.assign(kept)
            measured = forced(model, valid)
            for weight, value in zip(model.trainable_variables, trained, strict=True):
                weight.assign(value)
            return measured

        rows = training.train(model, variant.get("loss", plain), batch, RECIPE["steps"], folder,
                              learning_rate=RECIPE["learning_rate"], every=100, evaluate=validation)
    return min(row["validation"] for row in rows)


def forced(model, found: list[dict]) -> float:
    """Measure a network in nats per note as `evaluation.chorale_nats` does, but all steps at once."""
    hidden = without("struck", "phrase", "key")
    nats = [networks.chorale_nll(model, {name: column[None] for name, column in hidden(piece).items()})[0] for piece in found]
    return evaluation.nats_per_note([np.asarray(rows) for rows in nats])


def main() -> None:
    """Measure what is not measured yet, and write the table."""
    folder = environment.cache_folder() / "ablation"
    folder.mkdir(parents=True, exist_ok=True)
    kept, figures = folder / "variants.json", {}
    if kept.exists():
        figures = json.loads(kept.read_text())
    for number, (name, variant) in enumerate(VARIANTS.items()):
        if name not in figures:
            figures[name] = trained(variant, folder / str(number))
            kept.write_text(json.dumps(figures, indent=2))
            print(f"{name}: {figures[name]:.4f}", flush=True)
    lines = ["# What each part of the chorale network is worth", "",
             "Nats per note (pitches only, whole pieces; lower is better), written by `python -m benchmarks.ablation`.", "",
             "## Beside the network", "", "The shipped weights, with more and more of what stands beside them.", "",
             "| | validation | test |", "|---|---|---|"]
    lines += [f"| {name} | {valid:.4f} | {test:.4f} |" for name, valid, test in shipped()]
    lines += ["", "## Inside the network", "",
              f"Each variant trained anew for {RECIPE['steps']} steps only (the shipped weights took more), one seed: small "
              "differences say nothing. The network alone, without averaging or memory.", "",
              "| | validation | difference |", "|---|---|---|"]
    lines += [f"| {name} | {value:.4f} | {value - figures['the recipe']:+.4f} |" for name, value in figures.items()]
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(TABLE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
