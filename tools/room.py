"""Run a notebook for a room at once: `python -m tools.room [--learners 10] [--hub] [NOTEBOOK]`.

Each learner has a kernel with the threads that teaching/jupyterhub_config.py gives it. A learner's
JupyterLab server, which needs no computing to speak of, comes on top with about 160 MB. With --hub,
JupyterHub starts with these settings, and learners sign in, get their servers, and run the notebook
there; it says what has to be installed for that.
"""
import argparse
import contextlib
import os
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from tools import execute, hub, notebooks

THREADS = {"OMP_NUM_THREADS": "2", "TF_NUM_INTRAOP_THREADS": "2", "TF_NUM_INTEROP_THREADS": "1"}
SERVER = 160  # MB


def measure(path: Path, learners: int) -> tuple[list[tuple[float, float]], float]:
    """Run a notebook in as many kernels as there are learners, all at once.

    Returns:
        seconds and peak MB of each learner, and the seconds until the last has finished.

    Raises:
        RuntimeError: if a cell fails for somebody.
    """
    os.environ.update(THREADS)
    patience = execute.SECONDS_A_CELL * learners  # who shares a server waits longer
    begin = time.perf_counter()
    with ThreadPoolExecutor(learners) as pool:
        results = list(pool.map(lambda _: execute.run(notebooks.read(path), path.parent, patience),
                                range(learners)))
    return results, time.perf_counter() - begin


@contextlib.contextmanager
def memory_watched() -> Iterator[list[float]]:
    """Yield a list that holds, after the block, the most MB by which the free memory shrank."""
    free, done, shrank = [psutil.virtual_memory().available], threading.Event(), []

    def watch() -> None:
        while not done.wait(0.2):
            free.append(psutil.virtual_memory().available)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield shrank
    finally:
        done.set()
        watcher.join()
        shrank.append((free[0] - min(free)) / 1e6)


def through_hub(path: Path, learners: int) -> list[tuple[float, float]]:
    """Measure the learners of a hub; print what it adds, and return seconds and MB of each."""
    visits, total = hub.measure(path, learners)
    waits = [visit.waited for visit in visits]
    print(f"from signing in to an open notebook: {statistics.median(waits):.0f} s (slowest "
          f"{max(waits):.0f}); a learner's server: {max(visit.server for visit in visits):.0f} MB; "
          f"all done after {total:.0f} s")
    return [(visit.seconds, visit.kernel + visit.server) for visit in visits]


def by_themselves(path: Path, learners: int) -> list[tuple[float, float]]:
    """Measure kernels, first one alone; return seconds and MB of each with a server reckoned in."""
    ((seconds, memory),), _ = measure(path, 1)
    print(f"one alone: {seconds:.0f} s, {memory:.0f} MB")
    results, total = measure(path, learners)
    print(f"all done after {total:.0f} s")
    return [(seconds, memory + SERVER) for seconds, memory in results]


def main(arguments: list[str] | None = None) -> int:
    """Measure all learners at once, and print what a server needs."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--learners", type=int, default=10)
    parser.add_argument("--hub", action="store_true",
                        help="let the learners into a JupyterHub with the course's settings")
    default = notebooks.NOTEBOOKS / "08_lstm_composes_chorales.ipynb"
    parser.add_argument("notebook", nargs="?", type=Path, default=default,
                        help="default: 08_lstm_composes_chorales")
    options = parser.parse_args(arguments)
    if not 1 <= options.learners <= 100:
        parser.error("A room holds 1 to 100 learners.")
    path = options.notebook.resolve()
    if options.hub and path.parent != notebooks.NOTEBOOKS:
        parser.error(f"The hub gives out the chapters in {notebooks.NOTEBOOKS.name}/, not "
                     f"'{path.name}'.")
    print(f"{path.name}, {os.cpu_count()} cores, {options.learners} learners at once", flush=True)
    try:
        with memory_watched() as shrank:
            results = (through_hub if options.hub else by_themselves)(path, options.learners)
    except (RuntimeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    seconds, memory = zip(*results)
    print(f"each: {statistics.median(seconds):.0f} s (slowest {max(seconds):.0f}), "
          f"{max(memory):.0f} MB with its server")
    print(f"memory: {sum(memory) / 1e3:.1f} GB in all; the machine's free memory shrank by "
          f"{shrank[0] / 1e3:.1f} GB at most")
    return 0


if __name__ == "__main__":
    sys.exit(main())
