"""The command `score`: how well the shipped chorale LSTM predicts pieces."""
import argparse
from pathlib import Path

import numpy as np
from tqdm import tqdm

from course_utils import environment
from course_utils.scores import score_files

HELP = "measure how well the shipped chorale LSTM predicts four-part music"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what can be asked for."""
    parser.add_argument("file", type=Path, help="NumPy archive (.npz) of one or more pieces: "
                        "integers (steps, 4) on sixteenths, MIDI pitches from soprano to bass, -1 "
                        "for a rest")


def run(options: argparse.Namespace) -> None:
    """Print nats per cell of each piece in an archive, and of all notes together in the last
    line.
    """
    pieces = score_files.read_grids(options.file)
    from course_utils.lstm import evaluation

    total = 0.0
    for name, grid in tqdm(pieces.items(), unit="piece", disable=environment.quiet()):
        try:
            _check_rests(grid)
            nll = evaluation.chorale_nll(grid)
        except ValueError as error:
            raise ValueError(f"'{options.file}', piece '{name}': {error}") from error
        total += nll * grid.size
        tqdm.write(f"{name} {len(grid)} steps {nll:.4f}")
    print(f"nats_per_cell {total / sum(grid.size for grid in pieces.values()):.4f}")


def _check_rests(grid: np.ndarray) -> None:
    if (grid == 0).any():
        raise ValueError(f"it holds {(grid == 0).sum()} zeros, and 0 is the lowest of MIDI's "
                         "pitches, which nobody sings. A rest is -1: np.where(grid == 0, -1, "
                         "grid).")
