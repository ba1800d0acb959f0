"""What each part of the chorale network is worth, in nats per note: `python -m benchmarks.ablation` writes ablation.md.

Part one takes the shipped weights as they are. Part two trains each variant anew with the same short recipe, which takes two
hours; what is done is kept in the cache folder, and an interrupted run goes on (after a change of the network, delete the
folder `ablation` there).
"""
import json
import re
import unittest.mock
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from tqdm import tqdm

from benchmarks.ablation_variants import SECOND, VARIANTS, same, without
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
        put(model, weights)
        hidden = {name: np.zeros_like(piece[name]) for name in ("struck", "phrase", "key")}
        for first in range(0, len(piece["beat"]), segment):
            heard = {name: tf.constant(column[None, : first + segment]) for name, column in (piece | hidden).items()}
            total += float(step(heard, tf.constant(first)))
        notes += piece["tokens"].size
    return total / notes


def trained(variant: dict, folder: Path) -> float:
    """Train one variant with the short recipe; return its best validation figure."""
    recipe = RECIPE | {name: value for name, value in variant.items() if name in RECIPE}
    environment.seed_everything(recipe["seed"])
    schedules, change = keras.optimizers.schedules, variant.get("piece", same)
    order, semitones = variant.get("order", networks.ORDER), variant.get("semitones", training.TRANSPOSITIONS)
    with (unittest.mock.patch.multiple(networks, ORDER=order), unittest.mock.patch.multiple(training, TRANSPOSITIONS=semitones),
          unittest.mock.patch.object(networks.layers, "LSTM", variant.get("lstm", layers.LSTM)),
          unittest.mock.patch.object(schedules, "CosineDecay", variant.get("schedule", schedules.CosineDecay))):
        model = variant.get("build", networks.ChoraleLSTM)(**variant.get("network", {}))
        valid = [change(piece) for piece in pieces("valid")]
        forced(model, valid[:1])
        average, averages = variant.get("average", 0.0), [w.numpy() for w in model.trainable_variables]

        def validation() -> float:
            trained = [w.numpy() for w in model.trainable_variables]
            put(model, averages if average else trained)
            measured = evaluation.nats_per_note(forced(model, valid))
            put(model, trained)
            return measured

        def fit(found: list[dict], folder: Path) -> list[dict]:
            windows = training.chorale_windows(found, recipe["batch"], recipe["window"], recipe["seed"])

            def batch(number: int) -> dict:
                if average:
                    averages[:] = [average * kept + (1 - average) * weight.numpy()
                                   for kept, weight in zip(averages, model.trainable_variables, strict=True)]
                return variant.get("spoil", same)(windows(number))

            return training.train(model, variant.get("loss", networks.chorale_loss), batch, recipe["steps"], folder, every=100,
                                  learning_rate=recipe["learning_rate"], evaluate=validation)

        if "before" in variant:
            fit(variant["before"](recipe["window"]), folder / "before")
        rows = fit([change(piece) for piece in pieces("train") if len(piece["beat"]) >= recipe["window"]], folder)
    return min(row["validation"] for row in rows)


def put(model, weights: list[np.ndarray]) -> None:
    """Replace a model's trainable weights."""
    for weight, value in zip(model.trainable_variables, weights, strict=True):
        weight.assign(value)


def folder_of(name: str) -> Path:
    """Return where a variant's training is kept."""
    return environment.cache_folder() / "ablation" / re.sub(r"\W+", "-", name)


def forced(model, found: list[dict]) -> list[np.ndarray]:
    """Return the nats of each note as `evaluation.chorale_nats` does, but all steps at once."""
    hidden = without("struck", "phrase", "key")
    return [np.asarray(networks.chorale_nll(model, {name: column[None] for name, column in hidden(piece).items()})[0])
            for piece in found]


def together(folders: list[Path]) -> float:
    """Return the validation figure of the mean probability of several networks."""
    nats = []
    for folder in folders:
        model = networks.ChoraleLSTM()
        model.load_weights(folder / "best.weights.h5")
        nats.append(forced(model, pieces("valid")))
    return evaluation.nats_per_note([-np.log(np.mean(np.exp(-np.stack(rows)), axis=0)) for rows in zip(*nats, strict=True)])


def main() -> None:
    """Measure what is not measured yet, and write the table."""
    kept, figures = folder_of("variants").with_suffix(".json"), {}
    kept.parent.mkdir(parents=True, exist_ok=True)
    if kept.exists():
        figures = json.loads(kept.read_text())
    for name, variant in VARIANTS.items():
        if name not in figures:
            figures[name] = trained(variant, folder_of(name))
            kept.write_text(json.dumps(figures, indent=2))
            print(f"{name}: {figures[name]:.4f}", flush=True)
    two = [folder_of(name) for name in (next(iter(VARIANTS)), SECOND)]
    figures["the two seeds of the recipe, their probabilities averaged"] = together(two)
    lines = ["# What each part of the chorale network is worth", "",
             "Nats per note (pitches only, whole pieces; lower is better), written by `python -m benchmarks.ablation`.", "",
             "## Beside the network", "", "The shipped weights, with more and more of what stands beside them.", "",
             "| | validation | test |", "|---|---|---|"]
    lines += [f"| {name} | {valid:.4f} | {test:.4f} |" for name, valid, test in shipped()]
    lines += ["", "## Inside the network", "",
              f"Each variant trained anew for {RECIPE['steps']} steps only (the shipped weights took more), one seed: a "
              "difference as small as that of another seed says nothing. The network alone, without averaging or memory.", "",
              "| | validation | difference |", "|---|---|---|"]
    first = round(figures["the recipe"], 4)
    lines += [f"| {name} | {value:.4f} | {round(value, 4) - first:+.4f} |" for name, value in figures.items()]
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(TABLE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
