"""Train the shipped weights with the full recipes: `python -m tools.train_weights [NAME …]`.

An interrupted run resumes. Weights go to data/weights/NAME.weights.h5, measured figures to NAME.json beside them.
"""
import argparse
import json
import time
from pathlib import Path

import tensorflow as tf

from course_utils import datasets, environment, evaluation, memory, networks, training
from tools import manifest


def chorale_lstm(folder: Path, seed: int = 1) -> tuple:
    """Train the chorale LSTM; return it with its recipe and its figures in nats per note."""
    recipe = {"batch": 40, "window_steps": 96, "steps": 5000, "learning_rate": 3e-3, "seed": seed}
    environment.seed_everything(seed)
    pieces = {split: [networks.chorale_inputs(s) for s in datasets.chorales(split)] for split in datasets.SPLITS}
    model = networks.ChoraleLSTM()

    def loss(model, batch):
        pitches, onsets = networks.chorale_nll(model, batch, training=True)
        return tf.reduce_mean(pitches) + tf.reduce_mean(onsets) / 4

    def nats(split: str, **how) -> list:
        return evaluation.chorale_nats(model, pieces[split], **how)

    windows = training.chorale_windows(pieces["train"], recipe["batch"], recipe["window_steps"], seed)
    training.train(model, loss, windows, recipe["steps"], folder, learning_rate=recipe["learning_rate"],
                   evaluate=lambda: evaluation.nats_per_note(nats("valid", transpositions=(0,))), every=250)
    model.trust.assign(memory.fit_trust(nats("valid"), [piece["tokens"] for piece in pieces["valid"]], networks.ORDER))
    measured = {split: nats(split) for split in datasets.SPLITS} | {"test_steered": nats("test", steered=True)}
    return model, recipe, {name: evaluation.nats_per_note(rows) for name, rows in measured.items()}


RECIPES = {"chorale_lstm": chorale_lstm}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(RECIPES)} (all, if none is named)")
    weights = environment.data_folder() / "weights"
    names = parser.parse_args().names or list(RECIPES)
    if unknown := set(names) - set(RECIPES):
        parser.error(f"there is no recipe {', '.join(sorted(unknown))}; there are {', '.join(RECIPES)}")
    for name in names:
        start = time.perf_counter()
        model, recipe, figures = RECIPES[name](environment.cache_folder() / "weights" / name)
        model.save_weights(weights / f"{name}.weights.h5")
        card = {"recipe": recipe, "minutes": round((time.perf_counter() - start) / 60, 1), "nats_per_note": figures,
                "parameters": model.count_params()}
        (weights / f"{name}.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
        print(f"{name}: {card['nats_per_note']} in {card['minutes']} minutes")
    manifest.main()


if __name__ == "__main__":
    main()
