"""How well the shipped chorale LSTM and the models that only count predict held-out chorales:
`python -m benchmarks.chorales`.
"""
import numpy as np

from course_utils import datasets
from course_utils.lstm import chorale_lstm, evaluation, ngrams
from course_utils.measuring.bootstrap import interval


def ladder(split: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return nats and notes of each piece of a split, under each model that only counts."""
    models = {name: ngrams.fit(contexts, datasets.chorales("train")) for name,
              contexts in ngrams.LADDER.items()}
    return {name: ngrams.nats(model, datasets.chorales(split)) for name, model in models.items()}


def main() -> dict[str, float]:
    """Print and return nats per note (pitches only, whole pieces, first step included), with
    intervals over pieces.
    """
    model, figures = chorale_lstm.load(), {}
    for split in ("valid", "test"):
        for name, (nats, notes) in ladder(split).items():
            figures[f"{split}, {name}"] = _report(f"{split}, {name}", nats, notes)
        pieces = [chorale_lstm.chorale_inputs(score) for score in datasets.chorales(split)]
        for name, steered in ((split, False),
                              (f"{split}, previous onsets, fermatas and key known", True)):
            measured = evaluation.chorale_nats(model, pieces, steered)
            nats, notes = (np.array([f(piece) for piece in measured]) for f in (np.sum, np.size))
            figures[name] = _report(name, nats, notes)
    return figures


def _report(name: str, nats: np.ndarray, notes: np.ndarray) -> float:
    low, high = interval(nats, notes)
    print(f"{name:50} {nats.sum() / notes.sum():.4f} nats per note ({low:.3f} to {high:.3f})")
    return float(nats.sum() / notes.sum())


if __name__ == "__main__":
    main()
