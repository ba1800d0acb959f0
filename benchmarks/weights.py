"""Train the shipped weights with the full recipes: `python -m benchmarks.weights [NAME …]`.

An interrupted run resumes. Weights go to data/weights/NAME.weights.h5, measured figures to
NAME.json beside them; its minutes are those of the training alone, all parts of it.
"""
import argparse
import contextlib
import json
import time
from pathlib import Path

import numpy as np

from benchmarks import gan_tones as invented
from benchmarks import timbre as versions
from course_utils import datasets, environment, training
from course_utils.cnn import networks, timbre
from course_utils.gan import bar_gan as bars
from course_utils.gan import bar_measures, bar_training
from course_utils.gan import tone_gan as instruments_gan
from course_utils.lstm import chorale_lstm as chorales
from course_utils.lstm import evaluation, memory
from course_utils.sound import tones

SECONDS = "seconds.txt"


@contextlib.contextmanager
def stopwatch(folder: Path, resumes: bool = True):
    """Note in a folder how long a training takes; if it resumes, its parts are added up."""
    folder.mkdir(parents=True, exist_ok=True)
    note, start = folder / SECONDS, time.perf_counter()
    before = float(note.read_text(encoding="utf-8")) if resumes and note.exists() else 0.0
    try:
        yield
    finally:
        note.write_text(f"{before + time.perf_counter() - start:.1f}", encoding="utf-8")


def chorale_lstm(folder: Path, seed: int = 1) -> tuple:
    """Train the chorale LSTM; return it with its recipe and its figures in nats per cell."""
    recipe = {"batch": 40, "window_steps": 96, "steps": 5000, "learning_rate": 3e-3, "seed": seed}
    environment.seed_everything(seed)
    pieces = {split: [chorales.chorale_inputs(s) for s in datasets.chorales(split)]
              for split in datasets.SPLITS}
    model = chorales.ChoraleLSTM()

    def nats(split: str, **how) -> list:
        return evaluation.chorale_nats(model, pieces[split], **how)

    windows = chorales.chorale_windows(pieces["train"], recipe["batch"], recipe["window_steps"],
                                       seed)
    with stopwatch(folder):
        training.train(model, chorales.chorale_loss, windows, recipe["steps"], folder,
                       learning_rate=recipe["learning_rate"],
                       evaluate=lambda: evaluation.nats_per_cell(
            nats("valid", transpositions=(0,))), every=250)
    model.trust.assign(memory.fit_trust(nats("valid"),
                                        [piece["tokens"] for piece in pieces["valid"]],
                                        chorales.ORDER))
    measured = ({split: nats(split) for split in datasets.SPLITS}
                | {"test_steered": nats("test", steered=True)})
    return (model, recipe, {"nats_per_cell":
                            {name: evaluation.nats_per_cell(rows)
                             for name, rows in measured.items()}})


def timbre_cnn(folder: Path, seed: int = 1) -> tuple:
    """Train the CNN that hears timbre on all programs but the test ones; return it, its recipe, its
    balanced accuracies.
    """
    recipe = {"epochs": 40, "batch": 64, "learning_rate": 2e-3, "imagined": versions.IMAGINED,
              "seed": seed}
    found = datasets.tones()
    x, *labels = versions.pictures_of("real")

    def fit(learn, more: bool = True):
        real = [x[learn], *(label[learn] for label in labels)]
        return versions.fit_pictures(networks.timbre_cnn, real, more, more, recipe["epochs"],
                                     seed)[0]

    def accuracy(model, rows) -> float:
        return timbre.balanced_accuracy(found.family[rows],
                                        timbre.predict(model, x[rows]).argmax(axis=1))

    # Pitches left out of all instruments, a fifth: how well known instruments are heard at pitches
    # never met.
    new = found.pitch % 5 == 0
    held = found.fold == tones.FOLDS.index("test")
    with stopwatch(folder, resumes=False):
        model = fit(~held)
    return (model, recipe, {"balanced_accuracy":
                            {"test_programs": accuracy(model, held),
                             "new_pitches_of_known_programs": accuracy(fit(~new), new),
                             "new_pitches_without_imagined_or_augmented":
                             accuracy(fit(~new, more=False), new)}})


def gan_bars(folder: Path, seed: int = 1) -> tuple:
    """Train the bar GAN; return its averaged generator, its recipe, and figures of 400 pairs of
    bars next to held-out ones.
    """
    recipe = {"steps": 3000, "batch": bar_training.BATCH, **bar_training.SETTINGS, "seed": seed}
    windows, held_out = (bars.bar_windows(datasets.chorales(split)) for split in ("train", "test"))
    with stopwatch(folder):
        generator, *_ = bar_training.train_bars(windows, recipe["steps"], seed=seed, folder=folder)
    rng = np.random.default_rng(seed)
    real = held_out[rng.choice(len(held_out), 400, replace=False), bars.BEFORE :]
    found = bar_measures.measure(bars.generate(generator, rng.standard_normal((400, bars.NOISE))),
                                 real)
    return generator, recipe, {"measures": {name: round(value, 4) for name, value in found.items()}}


def gan_tones(folder: Path, seed: int = 1) -> tuple:
    """Train the GAN that invents instruments on all programs but the test ones; return its
    generator, recipe and figures.
    """
    data = instruments_gan.training_data(invented.known())
    with stopwatch(folder):
        model = instruments_gan.train(data, seed=seed, folder=folder, **instruments_gan.RECIPE)
    return (model, instruments_gan.RECIPE | {"seed": seed},
            invented.rounded(invented.measure(model, seed)))


RECIPES = {"chorale_lstm": chorale_lstm, "timbre_cnn": timbre_cnn, "gan_bars": gan_bars,
           "gan_tones": gan_tones}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME",
                        help=f"{', '.join(RECIPES)} (all, if none is named)")
    weights = environment.data_folder() / "weights"
    names = parser.parse_args().names or list(RECIPES)
    if unknown := set(names) - set(RECIPES):
        parser.error(f"there is no recipe {', '.join(sorted(unknown))}; there are "
                     f"{', '.join(RECIPES)}")
    for name in names:
        folder = environment.cache_folder() / "weights" / name
        model, recipe, figures = RECIPES[name](folder)
        model.save_weights(weights / f"{name}.weights.h5")
        card = {"recipe": recipe,
                "minutes": round(float((folder / SECONDS).read_text(encoding="utf-8")) / 60, 1),
                **figures, "parameters": model.count_params()}
        (weights / f"{name}.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
        print(f"{name}: {figures} in {card['minutes']} minutes")
    print("Now run `python -m tools.manifest`, which notes the checksums.")


if __name__ == "__main__":
    main()
