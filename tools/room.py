"""Size a server for a room: `python -m tools.room [--learners 10] [NOTEBOOK]` runs a notebook for all learners at once.

Each learner has a kernel with the threads that teaching/jupyterhub_config.py gives it. A learner's JupyterLab server, which needs
no computing to speak of, comes on top with about 170 MB.
"""
import argparse
import os
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools import execute, notebooks

THREADS = {"OMP_NUM_THREADS": "2", "TF_NUM_INTRAOP_THREADS": "2", "TF_NUM_INTEROP_THREADS": "1"}
SERVER = 170  # MB


def measure(path: Path, learners: int) -> tuple[list[tuple[float, float]], float]:
    """Run a notebook in as many kernels as there are learners, all at once.

    Returns:
        seconds and peak MB of each learner, and the seconds until the last has finished.

    Raises:
        RuntimeError: if a cell fails for somebody.
    """
    os.environ.update(THREADS)
    begin = time.perf_counter()
    with ThreadPoolExecutor(learners) as pool:
        results = list(pool.map(lambda _: execute.run(notebooks.read(path), path.parent), range(learners)))
    return results, time.perf_counter() - begin


def main(arguments: list[str] | None = None) -> int:
    """Measure one learner alone, then all at once, and print what a server needs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--learners", type=int, default=10)
    default = notebooks.NOTEBOOKS / "08_lstm_composes_chorales.ipynb"
    parser.add_argument("notebook", nargs="?", type=Path, default=default, help="default: 08_lstm_composes_chorales")
    options = parser.parse_args(arguments)
    if not 1 <= options.learners <= 100:
        parser.error("A room holds 1 to 100 learners.")
    path = options.notebook.resolve()
    try:
        (alone, *_), _ = measure(path, 1)
        results, total = measure(path, options.learners)
    except (RuntimeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    seconds, memory = zip(*results)
    print(f"{path.name}, {os.cpu_count()} cores, {options.learners} learners at once")
    print(f"one alone: {alone[0]:.0f} s, {alone[1]:.0f} MB")
    middle = statistics.median(seconds)
    print(f"each: {middle:.0f} s (slowest {max(seconds):.0f}), {max(memory):.0f} MB; all done after {total:.0f} s")
    print(f"memory for all, with their servers: {(sum(memory) + SERVER * options.learners) / 1e3:.1f} GB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
