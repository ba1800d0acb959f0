"""How well the shipped chorale LSTM predicts held-out chorales: `python -m benchmarks.chorales`."""
import numpy as np

from course_utils import datasets, evaluation, networks


def interval(nats: np.ndarray, notes: np.ndarray, draws: int = 2000) -> tuple[float, float]:
    """Return the 95 % bootstrap interval, over pieces, of nats per note."""
    pieces = np.random.default_rng(0).integers(len(nats), size=(draws, len(nats)))
    low, high = np.quantile(nats[pieces].sum(axis=1) / notes[pieces].sum(axis=1), [0.025, 0.975])
    return float(low), float(high)


def main() -> dict[str, float]:
    """Print and return nats per note (pitches only, whole pieces, first step included), with intervals over pieces."""
    model, figures = networks.load_chorale_lstm(), {}
    for split in ("valid", "test"):
        pieces = [networks.chorale_inputs(score) for score in datasets.chorales(split)]
        for name, steered in ((split, False), (f"{split}, previous onsets, fermatas and key known", True)):
            measured = evaluation.chorale_nats(model, pieces, steered)
            nats, notes = (np.array([f(piece) for piece in measured]) for f in (np.sum, np.size))
            low, high = interval(nats, notes)
            figures[name] = float(nats.sum() / notes.sum())
            print(f"{name:50} {figures[name]:.4f} nats per note ({low:.3f} to {high:.3f})")
    return figures


if __name__ == "__main__":
    main()
