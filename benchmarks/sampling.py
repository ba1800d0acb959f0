"""How fast the chorale sampler is, next to the loop that tutorials use: `python -m benchmarks.sampling`."""
import time

import keras
import numpy as np

from course_utils import datasets, generation, networks

STEPS = 160
TUTORIAL_STEPS = 8


def seconds_per_step(batch: int) -> float:
    """Return how long the compiled loop takes for one time step of `batch` pieces, compilation left out."""
    plan = {name: column[:STEPS] for name, column in networks.chorale_inputs(datasets.chorales("test")[0]).items()}
    free = np.full((batch, STEPS, 4), -1)
    times = []
    for seed in range(4):
        start = time.perf_counter()
        generation.sample(MODEL, plan, free, free, seed=seed)
        times.append(time.perf_counter() - start)
    return min(times[1:]) / STEPS


def tutorial_seconds_per_step() -> float:
    """Return how long one time step of one piece takes with `model.predict` over all steps so far, once for each voice."""
    plan = {name: column[None] for name, column in networks.chorale_inputs(datasets.chorales("test")[0]).items()}
    rng = np.random.default_rng(0)
    times = []
    for step in range(1, TUTORIAL_STEPS + 1):
        start = time.perf_counter()
        so_far = {name: column[:, :step].copy() for name, column in plan.items()}
        for voice in networks.ORDER:
            p = np.exp(WRAPPED.predict(so_far, verbose=0)[0][0, -1, voice].astype(np.float64))
            so_far["tokens"][0, -1, voice] = rng.choice(len(p), p=p / p.sum())
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def main() -> dict[str, float]:
    """Print and return the figures: seconds a step, and their ratio."""
    ours, many, tutorial = seconds_per_step(1), seconds_per_step(64), tutorial_seconds_per_step()
    figures = {
        "compiled loop, ms a step": 1e3 * ours,
        "compiled loop, 64 pieces at once, ms a step and piece": 1e3 * many / 64,
        "model.predict for every voice, ms a step": 1e3 * tutorial,
        "times faster a step": tutorial / ours,
        "times faster a step, one model.predict a step": tutorial / 4 / ours,
    }
    for name, value in figures.items():
        print(f"{name:56}{value:10.2f}")
    return figures


MODEL = networks.load_chorale_lstm()
WRAPPED = keras.Model(inputs := {n: keras.Input((None, 4) if w else (None,), dtype="int32") for n, w in networks.INPUTS.items()},
                      MODEL(inputs))

if __name__ == "__main__":
    main()
