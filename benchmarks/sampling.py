"""How fast the chorale sampler is, next to what tutorials do and what the machine allows: `python
-m benchmarks.sampling`.
"""
import time

import numpy as np

from course_utils import datasets
from course_utils.lstm import chorale_lstm, generation

STEPS = 160
WINDOW, PREDICTED = 64, 12


def compiled(model: chorale_lstm.ChoraleLSTM, plan: dict, batch: int,
             copies: tuple[int, ...] = generation.AVERAGED) -> float:
    """Return the seconds that the compiled loop takes for one step of `batch` pieces, compilation
    left out.
    """
    plan = {name: column[:STEPS] for name, column in plan.items()}
    free = np.full((batch, STEPS, 4), -1)
    times = []
    for seed in range(4):
        start = time.perf_counter()
        generation.sample(model, plan, free, free, seed=seed, transpositions=copies)
        times.append(time.perf_counter() - start)
    return min(times[1:]) / STEPS


def tutorial(model: chorale_lstm.ChoraleLSTM, plan: dict) -> float:
    """Return the seconds that one `model.predict` on a fixed window takes, after a first call;
    tutorials make one a step.
    """
    import keras

    shapes = {name: (WINDOW, 4) if width else (WINDOW,)
              for name, width in chorale_lstm.INPUTS.items()}
    inputs = {name: keras.Input(shape, dtype="int32", name=name) for name, shape in shapes.items()}
    wrapped = keras.Model(inputs, model(inputs))
    times = []
    for step in range(PREDICTED):
        window = {name: column[None, step : step + WINDOW] for name, column in plan.items()}
        start = time.perf_counter()
        wrapped.predict(window, verbose=0)
        times.append(time.perf_counter() - start)
    return float(np.median(times[1:]))


def floor(model: chorale_lstm.ChoraleLSTM, rows: int, repeats: int = 200) -> float:
    """Return the seconds that the bare matrix products of one step take in NumPy: each weight read
    once, nothing else done.

    For one piece, reading the weights is the limit; for many, the multiplications are.
    """
    matrices = [w.numpy() for w in model.trainable_variables if len(w.shape) == 2
                and "embeddings" not in w.path]
    inputs = [np.ones((rows, len(matrix)), np.float32) for matrix in matrices]
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        for x, matrix in zip(inputs, matrices, strict=True):
            x @ matrix
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def main() -> dict[str, float]:
    """Print and return the figures: time a step, and ratios."""
    model, plan = chorale_lstm.load(), chorale_lstm.chorale_inputs(datasets.chorales("test")[0])
    ours, alone, many = (compiled(model, plan, 1), compiled(model, plan, 1, (0,)),
                         compiled(model, plan, 64))
    predict, copies = tutorial(model, plan), len(generation.AVERAGED)
    figures = {f"compiled loop, {copies} transposed copies, ms a step": 1e3 * ours,
               "compiled loop, one copy, ms a step": 1e3 * alone,
               "compiled loop, 64 pieces at once, ms a step and piece": 1e3 * many / 64,
               "64 pieces at once: times faster than one after the other": 64 * ours / many,
               "one model.predict, ms a step": 1e3 * predict,
               "one copy: times faster than one model.predict a step": predict / alone,
               "one copy: times faster than one for each voice, as the chain rule asks": 4 * predict
               / alone,
               f"{copies} copies: times faster than one model.predict for each": copies * predict
               / ours,
               "one copy: time over that of its bare matrix products": alone / floor(model, 1),
               "64 pieces: time over that of their bare matrix products": many
               / floor(model, 64 * copies, repeats=20)}
    for name, value in figures.items():
        print(f"{name:75}{value:10.2f}")
    return figures


if __name__ == "__main__":
    main()
