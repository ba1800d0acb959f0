"""Figures of the course: one style, and helpers that take an `ax` and return it."""
from collections.abc import Sequence

import numpy as np

# Okabe and Ito's palette: told apart under every common form of colour blindness.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000")


def use_style() -> None:
    """Set the course's figure style: small, light, colour-blind-safe."""
    import matplotlib.pyplot as plt

    plt.rcParams.update({
        "axes.prop_cycle": plt.cycler(color=COLORS), "axes.spines.top": False, "axes.spines.right": False,
        "figure.constrained_layout.use": True, "figure.dpi": 80, "figure.figsize": (8, 3), "font.size": 10,
        "image.cmap": "cividis", "legend.frameon": False, "savefig.facecolor": "white",
    })


def _axes(ax, **figure):
    import matplotlib.pyplot as plt

    return ax if ax is not None else plt.subplots(**figure)[1]


def piano_roll(score, ax=None):
    """Draw a score: one bar a note, time in quarter notes, pitch in MIDI numbers, a colour a voice (00_welcome).

    Args:
        score: a `scores.Score`.
        ax: matplotlib axes; new ones if None.

    Returns:
        The axes.
    """
    from course_utils.scores import REST, STEPS_PER_QUARTER, VOICES

    ax = _axes(ax, figsize=(9, 3))
    for voice in range(score.pitches.shape[1]):
        pitch, onset = score.pitches[:, voice], score.onsets[:, voice]
        begins = np.flatnonzero(onset | (np.diff(pitch, prepend=REST) != 0))
        ends = np.append(begins[1:], len(pitch))
        sounding = pitch[begins] != REST
        ax.barh(pitch[begins][sounding], (ends - begins)[sounding] / STEPS_PER_QUARTER, height=1.2,
                left=begins[sounding] / STEPS_PER_QUARTER, color=COLORS[voice], edgecolor="white", linewidth=0.8,
                label=VOICES[voice])
    ax.set(xlabel="time in quarter notes", ylabel="MIDI pitch")
    ax.legend(ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1))
    return ax


_BOXES = {
    "sound": ((0.3, 4.7), "Sound as numbers\n01 · 02 · 03", 7),
    "dnn": ((4.2, 4.7), "Deep neural network\nlayers of neurons\n04", 0),
    "score": ((8.1, 4.7), "Scores as symbols\n08", 7),
    "cnn": ((0.3, 2.6), "CNN\nsame weights at\nevery place\n04 · 05", 1),
    "rnn": ((4.2, 2.6), "RNN, LSTM\nsame weights at\nevery time step\n06 · 07 · 08", 2),
    "gan": ((8.1, 2.6), "GAN\ntwo networks,\none game\n09 · 10 · 11", 3),
    "measure": ((4.2, 0.5), "Is it any good?\n12 · 13", 4),
}
_ARROWS = (("sound", "cnn"), ("sound", "rnn"), ("dnn", "cnn"), ("dnn", "rnn"), ("dnn", "gan"), ("score", "rnn"), ("score", "gan"),
           ("cnn", "measure"), ("rnn", "measure"), ("gan", "measure"))


def course_map(ax=None):
    """Draw how the networks of the course relate, and which notebook treats which (00_welcome)."""
    ax = _axes(ax, figsize=(9, 5))
    width, height = 3.0, 1.35
    for (x, y), text, color in _BOXES.values():
        ax.add_patch(_rounded(x, y, width, height, COLORS[color]))
        ax.text(x + width / 2, y + height / 2, text, ha="center", va="center", fontsize=10)
    for tail, head in _ARROWS:
        (x0, y0), (x1, y1) = _BOXES[tail][0], _BOXES[head][0]
        ax.annotate("", (x1 + width / 2, y1 + height + 0.1), (x0 + width / 2, y0 - 0.1),
                    arrowprops={"arrowstyle": "->", "color": "#777777"})
    ax.annotate("", (8.0, 3.0), (7.3, 3.0), arrowprops={"arrowstyle": "->", "linestyle": "--", "color": "#777777"})
    ax.set(xlim=(0, 11.4), ylim=(0.2, 6.3))
    ax.set_axis_off()
    return ax


def _rounded(x: float, y: float, width: float, height: float, color: str):
    from matplotlib.colors import to_rgba
    from matplotlib.patches import FancyBboxPatch

    return FancyBboxPatch((x, y), width, height, boxstyle="round,pad=0.1", facecolor=to_rgba(color, 0.12), edgecolor=color,
                          linewidth=1.8)


def bars(labels: Sequence[str], values: Sequence[float], xlabel: str, ax=None):
    """Draw named values as horizontal bars, the first on top, each with its number (00_welcome)."""
    ax = _axes(ax, figsize=(8, 0.4 * len(labels) + 0.9))
    drawn = ax.barh(labels, values, color=COLORS[0], height=0.6)
    ax.bar_label(drawn, fmt="%.2f", padding=4)
    ax.invert_yaxis()
    ax.set(xlabel=xlabel, xlim=(0, 1.12 * max(values)))
    return ax
