"""How well the shipped chorale LSTM and the models that only count predict held-out chorales:
`python -m benchmarks.chorales`.
"""
import numpy as np

from course_utils import datasets
from course_utils.lstm import chorale_lstm, evaluation, ngrams
from course_utils.measuring.bootstrap import confidence_interval


def ladder(split: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return nats and cells of each piece of a split, under each model that only counts."""
    models = {name: ngrams.fit(contexts, datasets.chorales("train"))
              for name, contexts in ngrams.LADDER.items()}
    return {name: evaluation.totals(ngrams.nats(model, datasets.chorales(split)))
            for name, model in models.items()}


def main() -> dict[str, float]:
    """Print and return nats per cell (pitches only, whole pieces, first step included), with
    confidence intervals over pieces.
    """
    model, figures = chorale_lstm.load(), {}
    for split in ("valid", "test"):
        for name, counted in ladder(split).items():
            figures[f"{split}, {name}"] = _report(f"{split}, {name}", *counted)
        pieces = [chorale_lstm.chorale_inputs(score) for score in datasets.chorales(split)]
        for name, steered in ((split, False),
                              (f"{split}, previous onsets, fermatas and key known", True)):
            measured = evaluation.chorale_nats(model, pieces, steered)
            figures[name] = _report(name, *evaluation.totals(measured))
    return figures


def _report(name: str, nats: np.ndarray, cells: np.ndarray) -> float:
    low, high = confidence_interval(nats, cells)
    print(f"{name:50} {nats.sum() / cells.sum():.4f} nats per cell ({low:.3f} to {high:.3f})")
    return float(nats.sum() / cells.sum())


if __name__ == "__main__":
    main()
