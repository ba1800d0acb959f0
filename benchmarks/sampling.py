"""How fast the chorale sampler is, next to the loop that tutorials use: `python -m benchmarks.sampling`."""
import time

import numpy as np

from course_utils import datasets, generation, networks

STEPS = 160
WINDOW, PREDICTED = 64, 12


def compiled(model: networks.ChoraleLSTM, plan: dict, batch: int) -> float:
    """Return the seconds that the compiled loop takes for one step of `batch` pieces, compilation left out."""
    plan = {name: column[:STEPS] for name, column in plan.items()}
    free = np.full((batch, STEPS, 4), -1)
    times = []
    for seed in range(4):
        start = time.perf_counter()
        generation.sample(model, plan, free, free, seed=seed)
        times.append(time.perf_counter() - start)
    return min(times[1:]) / STEPS


def tutorial(model: networks.ChoraleLSTM, plan: dict) -> float:
    """Return the seconds that one `model.predict` on a fixed window takes, after a first call; tutorials make one a step."""
    import keras

    shapes = {name: (WINDOW, 4) if width else (WINDOW,) for name, width in networks.INPUTS.items()}
    inputs = {name: keras.Input(shape, dtype="int32", name=name) for name, shape in shapes.items()}
    wrapped = keras.Model(inputs, model(inputs))
    times = []
    for step in range(PREDICTED):
        window = {name: column[None, step : step + WINDOW] for name, column in plan.items()}
        start = time.perf_counter()
        wrapped.predict(window, verbose=0)
        times.append(time.perf_counter() - start)
    return float(np.median(times[1:]))


def main() -> dict[str, float]:
    """Print and return the figures: time a step, and ratios."""
    model, plan = networks.load_chorale_lstm(), networks.chorale_inputs(datasets.chorales("test")[0])
    ours, many, predict = compiled(model, plan, 1), compiled(model, plan, 64), tutorial(model, plan)
    figures = {
        "compiled loop, ms a step": 1e3 * ours,
        "compiled loop, 64 pieces at once, ms a step and piece": 1e3 * many / 64,
        "one model.predict, ms a step": 1e3 * predict,
        "times faster with one model.predict a step": predict / ours,
        "times faster with one for each voice, as the chain rule asks": 4 * predict / ours,
    }
    for name, value in figures.items():
        print(f"{name:62}{value:10.2f}")
    return figures


if __name__ == "__main__":
    main()
