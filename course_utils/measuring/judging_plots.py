"""Pictures of a verdict: what the calibration said, all ranks at a glance, and a table with a
player in every row.
"""
import html
import textwrap
from collections.abc import Mapping, Sequence

import numpy as np

from course_utils import audio
from course_utils.measuring.measures import Measured
from course_utils.plots import COLORS, plain

MARKERS = "os^Dv<>pP*Xh"


def calibration_map(calibration: Mapping[str, Mapping[str, Measured]], trusted: Sequence[str],
                    ax=None):
    """Draw how far each measure moves for each calibration set, in half widths of its interval for
    other Bach.

    Notebook: 12_measuring_music

    Args:
        calibration: `judging.calibrate`.
        trusted: measures that passed, which are marked.
        ax: matplotlib axes; new ones if None.

    Returns:
        The axes.
    """
    import matplotlib.pyplot as plt

    names, sets = (list(calibration), [title for title in next(iter(calibration.values()))
                                       if title != "other Bach"])
    moved = np.array([[_gap_in_widths(row, title) for title in sets]
                      for row in calibration.values()])
    ax = ax or plt.subplots(figsize=(7.5, 0.27 * len(names) + 0.8))[1]
    ax.imshow(np.log10(moved.clip(0.1, 1000)), cmap=plt.get_cmap("cividis", 32), aspect="auto",
              vmin=-1, vmax=3)
    for (row, column), value in np.ndenumerate(moved):
        text = ("0" if value < 0.05 else f"{value:.1f}" if value < 10 else f"{value:.0f}"
                if value < 1000 else "> 1000")
        ax.text(column, row, text, ha="center", va="center", fontsize=9,
                color="black" if value > 10 else "white")
    ax.set_xticks(range(len(sets)), sets)
    ax.xaxis.tick_top()
    ax.set_yticks(range(len(names)), [f"{name} {'✓' if name in trusted else '✗'}"
                                      for name in names])
    ax.tick_params(length=0)
    return ax


def _gap_in_widths(row: Mapping[str, Measured], title: str) -> float:
    """Return how far a measure's value for a set is from that for other Bach, in half widths of the
    latter's interval.
    """
    value, low, high = row["other Bach"]
    return float(abs(row[title][0] - value) / max((high - low) / 2, 1e-9))


def rank_lines(ranks: Mapping[str, Mapping[str, int]], ax=None):
    """Draw the ranks of all models by all measures as lines side by side: parallel coordinates, the
    best on top.

    Notebook: 12_measuring_music

    Args:
        ranks: `judging.rank_models`, in the order of the legend.
        ax: matplotlib axes; new ones if None.

    Returns:
        The axes.
    """
    import matplotlib.pyplot as plt

    measures = list(next(iter(ranks.values())))
    ax = ax or plt.subplots(figsize=(10, 4))[1]
    for number, (model, row) in enumerate(ranks.items()):
        shift = 0.3 * (number / max(1, len(ranks) - 1) - 0.5)  # shared ranks would hide one another
        ax.plot(range(len(measures)), [row[m] + shift for m in measures], label=plain(model),
                color=COLORS[number % len(COLORS)], marker=MARKERS[number % len(MARKERS)],
                linewidth=1.5, linestyle=("-", "--")[number // len(COLORS)])
    ax.set_xticks(range(len(measures)),
                  [textwrap.fill(name, 11, break_long_words=False) for name in measures],
                  fontsize=9)
    ax.set(ylabel="rank", ylim=(len(ranks) + 0.6, 0.5))
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=9)
    return ax


def players(rows: Mapping[str, tuple[Sequence[str], np.ndarray]], columns: Sequence[str], sr: int):
    """Show a table with some figures and a player in each row.

    Notebook: 12_measuring_music

    Args:
        rows: title to (its cells as text, waveform (samples,)).
        columns: titles of the cells.
        sr: sample rate in Hz.

    Returns:
        An `IPython.display.HTML`.
    """
    from IPython.display import HTML

    head = "".join(f"<th>{html.escape(title)}</th>" for title in ("", *columns, "hear"))
    body = "".join(f"<tr><th style='text-align: left'>{html.escape(title)}</th>"
                   + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
                   + f"<td>{audio.play(y, sr, title).data}</td></tr>"
                   for title, (cells, y) in rows.items())
    return HTML(f"<table><tr>{head}</tr>{body}</table>")
