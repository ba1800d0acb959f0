"""Plain GAN against WGAN-GP on the ring of eight Gaussians, three seeds each: `python -m
benchmarks.gan_toy [--all]`.

Same networks, data, optimizers and steps; only the loss differs. With --all, which takes minutes,
also with other settings and with the saturating loss; the runs are stored in data/gan_toy.json for
notebook 09 (then run `python -m tools.manifest`).
"""
import argparse
import json
from itertools import product

import numpy as np
from tqdm import tqdm

from course_utils import environment
from course_utils.by_hand import ring
from course_utils.gan import toy_gan

STEPS, SEEDS = 1500, (0, 1, 2)
SETTINGS = {"5 steps": {"critic_steps": 5}, "1 step": {"critic_steps": 1},
            "5 steps, Adam (0.9, 0.999)": {"critic_steps": 5, "betas": (0.9, 0.999)}}


def run(setting: str, game: str, seed: int) -> dict:
    """Train once and measure what the generator makes in the end."""
    seen, _ = toy_gan.train_toy(game, seed, STEPS, **SETTINGS[setting])
    return {"setting": setting, "game": game, "seed": seed, "modes": ring.modes_covered(seen[-1]),
            "good": round(ring.good_share(seen[-1]), 4)}


def show(runs: list[dict]) -> None:
    """Print a line for each setting and loss: modes covered by each seed, and the shares of good
    samples.
    """
    print(f"{'':28}{'loss':16}{'modes of 8':12}good samples")
    for setting, game in dict.fromkeys((row["setting"], row["game"]) for row in runs):
        rows = [row for row in runs if (row["setting"], row["game"]) == (setting, game)]
        modes, good = (" ".join(str(row["modes"]) for row in rows),
                       " ".join(f"{row['good']:4.0%}" for row in rows))
        print(f"{setting:28}{game:16}{modes:12}{good}")


def main(arguments: list[str] | None = None) -> list[dict]:
    """Train, print and return the runs."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="all settings and losses; stores them")
    everything = parser.parse_args(arguments or []).all
    settings, games = ((SETTINGS, toy_gan.GAMES) if everything
                       else (["5 steps"], ["non-saturating", "WGAN-GP"]))
    runs = [run(*which) for which in tqdm(list(product(settings, games, SEEDS)),
                                          disable=environment.quiet())]
    points = ring.draw_ring(2000, np.random.default_rng(0))
    runs.append({"setting": "real points", "game": "", "seed": 0,
                 "modes": ring.modes_covered(points), "good": round(ring.good_share(points), 4)})
    show(runs)
    if everything:
        with environment.writing(environment.data_folder() / toy_gan.TABLE) as temporary:
            temporary.write_text(json.dumps({"steps": STEPS, "runs": runs}, indent=1) + "\n",
                                 encoding="utf-8")
    return runs


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
