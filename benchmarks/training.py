"""How fast our training loop is, next to a plain `model.fit` of the same network: `python -m
benchmarks.training`.
"""
import tempfile
import time
from pathlib import Path

import numpy as np

from course_utils import datasets, training
from course_utils.lstm import chorale_lstm

BATCH, WINDOW, STEPS = 40, 96, 12


def ours(pieces: list[dict]) -> float:
    """Return the steps a second of `training.train`, compilation left out."""
    times, windows = [], chorale_lstm.chorale_windows(pieces, BATCH, WINDOW, 0)

    def batches(number: int) -> dict:
        times.append(time.perf_counter())
        return windows(number)

    with tempfile.TemporaryDirectory() as folder:
        training.train(chorale_lstm.ChoraleLSTM(), chorale_lstm.chorale_loss, batches, STEPS,
                       Path(folder), learning_rate=1e-3, evaluate=lambda: 0.0, every=STEPS)
    return float(1 / np.median(np.diff(times)[1:]))


def fit(pieces: list[dict]) -> float:
    """Return the steps a second of `model.fit` with Keras's own losses, on the same batches."""
    import keras

    model, times = chorale_lstm.ChoraleLSTM(), []
    shapes = {name: (WINDOW, 4) if width else (WINDOW,)
              for name, width in chorale_lstm.INPUTS.items()}
    inputs = {name: keras.Input(shape, dtype="int32", name=name) for name, shape in shapes.items()}
    wrapped = keras.Model(inputs, model(inputs, training=True))
    wrapped.compile("adam", [keras.losses.SparseCategoricalCrossentropy(from_logits=True)
                             for _ in range(2)])
    windows = chorale_lstm.chorale_windows(pieces, BATCH, WINDOW, 0)

    def batches():
        for number in range(STEPS):
            batch = windows(number)
            yield batch, (batch["tokens"], batch["onsets"] @ np.array([1, 2, 4, 8]))

    class Clock(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            times.append(time.perf_counter())

    wrapped.fit(batches(), steps_per_epoch=STEPS, shuffle=False, verbose=0, callbacks=[Clock()])
    return float(1 / np.median(np.diff(times)[1:]))


def main() -> dict[str, float]:
    """Print and return steps a second (40 windows of 96 sixteenths each), and their ratio."""
    pieces = [chorale_lstm.chorale_inputs(score) for score in datasets.chorales("train")]
    plain, own = fit(pieces), ours(pieces)
    figures = {"training.train, steps a second": own, "model.fit, steps a second": plain,
               "ratio": own / plain}
    for name, value in figures.items():
        print(f"{name:40}{value:8.2f}")
    return figures


if __name__ == "__main__":
    main()
