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
from tqdm import tqdm

from course_utils import datasets, environment, evaluation, memory, networks, training

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
    rows.append(("the network alone, with dynamic evaluation", *(dynamic(data[split]) for split in data)))
    return rows


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
}


def trained(variant: dict, folder: Path) -> float:
    """Train one variant with the short recipe; return its best validation figure."""
    environment.seed_everything(RECIPE["seed"])
    order, semitones = variant.get("order", networks.ORDER), variant.get("semitones", training.TRANSPOSITIONS)
    with unittest.mock.patch.multiple(networks, ORDER=order), unittest.mock.patch.multiple(training, TRANSPOSITIONS=semitones):
        model = networks.ChoraleLSTM(**variant.get("network", {}))
        valid = [variant.get("piece", same)(piece) for piece in pieces("valid")]
        found = [p for p in pieces("train") if len(p["beat"]) >= variant.get("window", 0)]
        window = variant.get("window", RECIPE["window"])
        windows = training.chorale_windows(found, variant.get("batch_size", RECIPE["batch"]), window, RECIPE["seed"])
        change = variant.get("batch", same)

        def validation() -> float:
            return evaluation.nats_per_note(evaluation.chorale_nats(model, valid, transpositions=(0,)))

        rows = training.train(model, variant.get("loss", plain), lambda n: change(windows(n)), RECIPE["steps"], folder,
                              learning_rate=RECIPE["learning_rate"], every=100, evaluate=validation)
    return min(row["validation"] for row in rows)


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
