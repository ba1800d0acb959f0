"""Figures of what listeners said: estimates with their intervals, and what to expect of how many
trials.
"""
from collections.abc import Mapping, Sequence

import numpy as np

from course_utils.listening import analysis
from course_utils.plots import COLORS, plain


def estimates(found: Mapping[str, Sequence[float]], xlabel: str, chance: float | None = None,
              ax=None):
    """Draw estimates as points with their intervals as lines, the first on top.

    Notebook: 13_listening_test

    Args:
        found: for each name the estimate, the lower and the upper end.
        xlabel: what is estimated.
        chance: where to draw a dashed line, if anywhere.
        ax: matplotlib axes; new ones if None.

    Returns:
        The axes.
    """
    import matplotlib.pyplot as plt

    ax = ax if ax is not None else plt.subplots(figsize=(7, 0.45 * len(found) + 1))[1]
    middle, low, high = np.array(list(found.values()), float).T
    ax.errorbar(middle, range(len(found)), xerr=[middle - low, high - middle], fmt="o",
                color=COLORS[0], capsize=4, linewidth=2)
    for row, value in enumerate(middle):
        ax.annotate(f"{value:.2f}", (value, row), (0, 7), textcoords="offset points", ha="center",
                    fontsize=9)
    if chance is not None:
        ax.axvline(chance, color="#777777", linestyle="--", label="chance")
        ax.legend(loc="lower right", bbox_to_anchor=(1, 1))
    ax.set(yticks=range(len(found)), yticklabels=[plain(name) for name in found], xlabel=xlabel,
           ylim=(len(found) - 0.5, -0.7))
    return ax


def power_curves(proportions: Sequence[float], most: int = 120, wanted: float = 0.8, ax=None):
    """Draw how probably guessing is ruled out, over the number of independent trials.

    Notebook: 13_listening_test

    Args:
        proportions: true proportions, one curve each.
        most: largest number of trials.
        wanted: power at which a dashed line is drawn.
        ax: matplotlib axes; new ones if None.

    Returns:
        The axes.
    """
    import matplotlib.pyplot as plt

    ax, trials = ax if ax is not None else plt.subplots(figsize=(7, 2.8))[1], np.arange(1, most + 1)
    for number, p in enumerate(proportions):
        ax.plot(trials, analysis.power(trials, p), color=COLORS[number % len(COLORS)],
                label=f"true proportion {p:g}")
    ax.axhline(wanted, color="#777777", linestyle="--")
    ax.set(xlabel="independent trials", ylabel="power", xlim=(1, most), ylim=(0, 1.02))
    ax.legend(loc="lower right", fontsize=9)
    return ax
