"""The bar GAN next to real bars, the LSTM, Markov music and random notes: `python -m
benchmarks.gan_bars [--store]`.

400 pairs of bars each, on eighth notes. With --store also three seeds of notebook 10's quick
training (some minutes), all kept in data/gan_bars.json (then run `python -m tools.manifest`); with
--changes the same training with one thing changed. A training that was interrupted goes on.
"""
import argparse
import json

import numpy as np

from course_utils import datasets, environment
from course_utils.gan import bar_gan, bar_measures, bar_training
from course_utils.lstm import chorale_lstm, generation, ngrams
from course_utils.scores import REST, planning, to_pitches

PAIRS, STEPS, SEEDS = 400, 600, (1, 2, 3)
CHANGES = {"1 critic step": {"critic_steps": 1}, "no intervals": {"hears_intervals": False},
           "Gumbel": {"choice": "Gumbel"}}


def pairs_of(pitches: np.ndarray) -> np.ndarray:
    """Cut pieces (pieces, sixteenths, 4) that begin on a bar line into pairs of bars on eighths, as
    numbers 0..47.

    What holds a rest is left out; what lies too low or high for the grid moves by an octave.
    """
    length = 2 * bar_gan.STEPS
    cut = pitches[:,
                  : pitches.shape[1] // length * length].reshape(-1, length, 4)[:, ::2].astype(int)
    cut = cut[(cut != REST).all(axis=(1, 2))] - bar_gan.LOWEST
    cut += (12 * (cut.min(axis=(1, 2)) < 0)[:, None, None] - 12
            * (cut.max(axis=(1, 2)) >= bar_gan.PITCHES)[:, None, None])
    return cut[(cut.min(axis=(1, 2)) >= 0) & (cut.max(axis=(1, 2)) < bar_gan.PITCHES)]


def markov(seed: int) -> np.ndarray:
    """Draw pairs from the back-off model of notebook 08."""
    model = ngrams.fit(ngrams.LADDER["Markov with back-off"], datasets.chorales("train"))
    pieces = ngrams.sample(model, planning.plan_chorale(4), 300, seed=seed)
    return pairs_of(np.stack([piece.pitches[4:] for piece in pieces]))


def lstm(seed: int, pieces: int = 100) -> np.ndarray:
    """Draw pairs from the chorale LSTM, half of the pieces in C major, half in A minor."""
    model, found = chorale_lstm.load(), []
    for key in (0, 21):
        plan = chorale_lstm.chorale_inputs(planning.plan_chorale(4, key))
        free = np.full((pieces, len(plan["beat"]), 4), -1)
        tokens, _, _ = generation.sample(model, plan, free, free, seed=seed + key)
        found.append(to_pitches(tokens)[:, 4:])
    return pairs_of(np.concatenate(found))


def draw(pairs: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw `PAIRS` of the pairs, none twice."""
    return pairs[rng.choice(len(pairs), PAIRS, replace=False)]


def judge(pairs: np.ndarray, real: np.ndarray, known: list) -> dict[str, float]:
    """Measure pairs, and how many hold a bar of the training pieces (4 quarters), or a pair (8
    quarters).
    """
    found = bar_measures.measure(pairs, real)
    found |= {f"copied, {quarters} quarters": bar_measures.copied(pairs, known, quarters)
              for quarters in (4, 8)}
    return {name: round(value, 4) for name, value in found.items()}


def trained(windows: np.ndarray, seed: int, steps: int = STEPS, **changes):
    """Train a generator, or go on with a training that was interrupted."""
    name = "-".join(map(str, [seed, steps, *(f"{key}={value}" for key, value in changes.items())]))
    folder = environment.cache_folder() / "gan_bars"
    folder.mkdir(exist_ok=True)
    return bar_training.train_bars(windows, steps, seed=seed, folder=folder / name, **changes)[0]


def show(table: dict[str, dict[str, float]]) -> None:
    """Print a column for each model."""
    print(f"{'':20}" + "".join(f"{name:>15}" for name in table))
    for what in next(iter(table.values())):
        print(f"{what:20}" + "".join(f"{column[what]:15.3f}" for column in table.values()))


def show_targets(table: dict) -> None:
    """Print in what each version of the GAN is nearer to Bach than random notes, and than Markov
    music.
    """
    models, ours = table["models"], {"GAN": table["models"]["GAN"], **table["trainings"]}
    for name, found in ours.items():
        than = {other: bar_measures.nearer(found, models[other], models["Bach"])
                for other in ("random", "Markov")}
        print(f"{name}: nearer to Bach than random notes in {len(than['random'])} numbers of 9; "
              f"than Markov music in {', '.join(than['Markov'])}")


def main(arguments: list[str] | None = None) -> dict:
    """Measure, print and return the table."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", action="store_true",
                        help="train three seeds as well, and store the table")
    parser.add_argument("--changes", action="store_true", help="train with one thing changed")
    wanted = parser.parse_args(arguments or [])
    rng = np.random.default_rng(0)
    windows, held_out = (bar_gan.bar_windows(datasets.chorales(split))
                         for split in ("train", "test"))
    known = [bar_measures.on_eighths(score) for score in datasets.chorales("train")]
    noise = rng.standard_normal((PAIRS, bar_gan.NOISE))
    order = rng.permutation(len(held_out))
    real, others = (held_out[part][:, bar_gan.BEFORE :]
                    for part in (order[:PAIRS], order[PAIRS : 2 * PAIRS]))
    pairs = {"Bach": others, "GAN": bar_gan.generate(bar_gan.load(), noise),
             "LSTM": draw(lstm(0), rng), "Markov": draw(markov(0), rng),
             "random": bar_measures.random_bars(PAIRS, windows[:, bar_gan.BEFORE :], rng)}
    table = {"models": {name: judge(grids, real, known) for name, grids in pairs.items()}}
    show(table["models"])
    runs = {f"seed {seed}": {"seed": seed} for seed in SEEDS} if wanted.store else {}
    runs |= ({name: {"seed": 1, **change} for name, change in CHANGES.items()} if wanted.changes
             else {})
    made = {name: bar_gan.generate(trained(windows, **run), noise) for name, run in runs.items()}
    table["trainings"] = {name: judge(grids, real, known) for name, grids in made.items()}
    if made:
        show(table["trainings"])
    if wanted.store:
        with environment.writing(environment.data_folder() / bar_training.TABLE) as temporary:
            temporary.write_text(json.dumps({"pairs": PAIRS, "steps": STEPS, **table}, indent=1)
                                 + "\n", encoding="utf-8")
    show_targets(table)
    return table


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
