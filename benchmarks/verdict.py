"""Judge all models of the course by measures that passed their calibration: `python -m
benchmarks.verdict [--store]`.

It judges the shipped samples, in about a minute. With --samples it makes them anew first
(data/verdict_samples.npz), for which a small LSTM is trained for a minute. With --sound it also
judges sound, which takes five minutes. With --store the tables go to data/verdict.json for notebook
12. Run `python -m tools.manifest` afterwards.
"""
import argparse
import json
import tempfile
from pathlib import Path

import numpy as np

from course_utils import datasets, environment, scores
from course_utils.lstm import ngrams
from course_utils.measuring import judging, measures, musical_statistics
from course_utils.scores import Score, planning

PIECES, PHRASES = 77, 4
TEMPERATURES = (0.5, 0.7, 0.9, 1.0, 1.2)
BACH = "Bach, held out"


def counted_models() -> dict[str, list[Score]]:
    """Sample the models that only count."""
    plan, train = planning.plan_chorale(PHRASES), datasets.chorales("train")
    names = {"uniform": "random", "unigram": "unigram", "bigram with beat": "bigram",
             "Markov with back-off": "Markov"}
    return {title: ngrams.sample(ngrams.fit(ngrams.LADDER[name], train), plan, PIECES, seed=0)
            for name, title in names.items()}


def small_lstm():
    """Train a chorale LSTM of half the width for a minute, as notebook 08 does."""
    from course_utils import training
    from course_utils.lstm import chorale_lstm, evaluation

    environment.seed_everything(1)
    model = chorale_lstm.ChoraleLSTM(units=128, embedding=24, dropout=0.1)
    read = {name: [chorale_lstm.chorale_inputs(s) for s in datasets.chorales(name) if len(s) >= 64]
            for name in ("train", "valid")}

    def validate() -> float:
        return evaluation.nats_per_cell(evaluation.chorale_nats(model, read["valid"][:20],
                                                                transpositions=(0,)))

    with tempfile.TemporaryDirectory() as folder:
        training.train(model, chorale_lstm.chorale_loss,
                       chorale_lstm.chorale_windows(read["train"], 32, 64, seed=1), 1000,
                       Path(folder), learning_rate=8e-3, evaluate=validate, every=250)
    return model


def lstm_pieces(model, temperature: float, seed: int) -> list[Score]:
    """Sample a chorale LSTM freely: no candidate is thrown away."""
    from course_utils.lstm import chorale_lstm, generation

    plan, free = planning.plan_chorale(PHRASES), np.full((PIECES, PHRASES * planning.PHRASE, 4), -1)
    tokens, onsets, _ = generation.sample(model, chorale_lstm.chorale_inputs(plan), free, free,
                                          seed=seed, temperature=temperature)
    return [scores.from_grid(scores.to_pitches(t), o, pickup=4) for t, o in zip(tokens, onsets)]


def gan_pieces() -> dict[str, list[Score]]:
    """Chain pairs of bars by the GAN of notebook 10."""
    from course_utils.gan import bar_gan

    tokens = bar_gan.chain(bar_gan.load(), PIECES, PHRASES, seed=0)
    return {"GAN": [bar_gan.to_score(piece) for piece in tokens]}


def written_music() -> dict[str, list[Score]]:
    """Return 77 pieces of eight bars by each model that writes notes."""
    from course_utils.lstm import chorale_lstm

    models = counted_models() | {"small LSTM": lstm_pieces(small_lstm(), 1.0, seed=1)}
    shipped = chorale_lstm.load()
    return (models | gan_pieces() | {f"LSTM at {t}": lstm_pieces(shipped, t, seed=int(10 * t))
                                     for t in TEMPERATURES})


def judge(models: dict[str, list[Score]]) -> dict:
    """Calibrate the measures, judge the models and held-out Bach, and rank them."""
    known = datasets.chorales("train")
    reference, valid, test = (measures.excerpts(datasets.chorales(split))
                              for split in ("train", "valid", "test"))
    unit = musical_statistics.table(reference)

    def described(pieces):
        return measures.describe(pieces, known, unit)

    bach = described(reference)
    sets = judging.calibration_sets(valid, models["Markov"])
    calibration = judging.calibrate(bach,
                                    {name: described(pieces) for name, pieces in sets.items()})
    models = {BACH: test} | models
    verdict = {name: measures.measure(bach, described(pieces)) for name, pieces in models.items()}
    ranks = judging.rank_models(verdict, judging.trusted(calibration), BACH)
    return {"calibration": calibration, "verdict": verdict, "ranks": ranks,
            "failed": {name: why for name, row in calibration.items()
                       if (why := judging.verdict_on(row))},
            "diversity": {name: musical_statistics.distinct_share(pieces)
                          for name, pieces in models.items()}}


def show(told: dict) -> None:
    """Print why measures failed, and the verdict: value and interval of each trusted measure, and
    the mean rank.
    """
    for name, why in told["failed"].items():
        print(f"not used: {name:24}{why}")
    for name, rank in judging.mean_ranks(told["ranks"]).items():
        print(f"\n{name}: mean rank {rank:.1f}, diversity {told['diversity'][name]:.2f}")
        for measure in told["ranks"][name]:
            value, low, high = told["verdict"][name][measure]
            print(f"    {measure:24}{value:10.3g} ({low:.3g} to {high:.3g}), rank "
                  f"{told['ranks'][name][measure]}")


def rounded(told):
    """Return nested tables with all numbers to four digits."""
    if isinstance(told, dict):
        return {name: rounded(value) for name, value in told.items()}
    if isinstance(told, tuple | list):
        return [rounded(value) for value in told]
    return float(f"{told:.4g}") if isinstance(told, float) else told


def main(arguments: list[str] | None = None) -> dict:
    """Judge, print and return the tables."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", action="store_true",
                        help="sample all models anew, and store that")
    parser.add_argument("--sound", action="store_true", help="judge sound, too")
    parser.add_argument("--store", action="store_true", help="store the tables")
    options = parser.parse_args(arguments or [])
    models = written_music() if options.samples else judging.samples()
    folder = environment.data_folder()
    if options.samples:
        with environment.writing(folder / judging.SAMPLES) as temporary:
            np.savez_compressed(temporary, **judging.pack(models))
    told = judge(models)
    show(told)
    if options.sound:
        from benchmarks import verdict_audio

        told["sound"] = verdict_audio.judge()
    elif (folder / judging.TABLE).exists():
        told["sound"] = json.loads((folder / judging.TABLE).read_text(encoding="utf-8"))["sound"]
    if options.store:
        with environment.writing(folder / judging.TABLE) as temporary:
            temporary.write_text(json.dumps(rounded(told), indent=1, ensure_ascii=False) + "\n",
                                 encoding="utf-8")
    return told


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
