"""A map of sounds to click on, and the list of what sounds most alike, which needs no browser."""
import base64
import html
from collections.abc import Sequence

import numpy as np

from course_utils import audio, plots
from course_utils.checks import as_array, check_rate, waveform

WIDTH, HEIGHT, MARGIN = 640, 420, 24
MOST = 400


def sound_map(points: np.ndarray, sounds: np.ndarray, sr: int, labels: Sequence[str],
              groups: Sequence[str]):
    """Draw sounds as dots that play when they are clicked on or chosen by Tab and Enter.

    Notebook: 05_cnn_hears_timbre

    It holds the sounds itself, so it works in any browser without a kernel. `nearest` tells the
    same in words, and `plots.embedding` draws the same map as a picture.

    Args:
        points: (sounds, 2), where each dot is.
        sounds: (sounds, samples); two seconds each at most, 400 of them at most.
        sr: sample rate in Hz.
        labels: name of each sound, shown under the pointer.
        groups: family of each sound, shown as colour.

    Returns:
        An `IPython.display.HTML`.

    Raises:
        ValueError: if the numbers of points, sounds, labels and groups differ, or there are too
            many.
    """
    from IPython.display import HTML

    points, sr = as_array(points), check_rate(sr)
    if (points.shape != (len(sounds), 2) or not len(sounds) == len(labels) == len(groups)
            or not 0 < len(sounds) <= MOST):
        raise ValueError(f"Give as many points (x, y), labels and groups as sounds, 1 to {MOST}; "
                         f"there are points of shape {points.shape}, {len(sounds)} sounds, "
                         f"{len(labels)} labels, {len(groups)} groups.")
    names = list(dict.fromkeys(groups))
    dots = "".join(_dot(place, _sound(y, sr), f"{label} ({group})",
                        plots.COLORS[names.index(group) % len(plots.COLORS)])
                   for place, y, label, group in zip(_placed(points), sounds, labels, groups))
    legend = " ".join(f'<span style="color:{plots.COLORS[k % len(plots.COLORS)]}">&#9679;</span> '
                      f'{html.escape(name)}' for k, name in enumerate(names))
    return HTML(f'<figure style="margin:0"><svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
                f'role="group" aria-label="Map of {len(sounds)} sounds; each dot plays" '
                'style="max-width:100%;background:white;border:1px solid '
                f'#ccc">{dots}</svg><figcaption>{legend}<br>Click on a dot to hear '
                'it.</figcaption></figure>')


def _placed(points: np.ndarray) -> np.ndarray:
    low, span = points.min(axis=0), np.maximum(np.ptp(points, axis=0), 1e-9)
    unit = (points - low) / span
    return (MARGIN
            + np.stack([unit[:, 0] * (WIDTH - 2 * MARGIN),
                        (1 - unit[:, 1]) * (HEIGHT - 2 * MARGIN)], axis=1))


def _dot(place: np.ndarray, sound: str, title: str, color: str) -> str:
    name, play = html.escape(title, quote=True), "new Audio(this.dataset.sound).play()"
    return (f'<circle cx="{place[0]:.1f}" cy="{place[1]:.1f}" r="7" fill="{color}" stroke="white" '
             f'tabindex="0" role="button" aria-label="{name}" style="cursor:pointer" '
             f'data-sound="data:audio/mpeg;base64,{sound}" onclick="{play}" '
             f'onkeydown="if(event.key===\'Enter\'){{{play}}}"><title>{name}</title></circle>')


def _sound(y: np.ndarray, sr: int) -> str:
    y = waveform(y, mono=True)[:2 * sr]
    small = audio.mp3(0.7 * y / max(float(np.abs(y).max()), 1e-6), sr, quality=0.9)
    return base64.b64encode(small).decode()


def nearest(embeddings: np.ndarray, one: int, count: int = 5,
            apart: np.ndarray | None = None) -> np.ndarray:
    """Find what sounds most alike: the nearest neighbours by the angle between embeddings.

    Notebook: 05_cnn_hears_timbre (written out)

    Args:
        embeddings: (sounds, dimensions).
        one: which sound the others are compared with.
        count: how many are wanted.
        apart: (sounds,), such as the program of each; those with the same value as `one` are left
            out.

    Returns:
        int (count,), the nearest one first; `one` itself is never among them.
    """
    unit = embeddings / np.maximum(np.linalg.norm(embeddings, axis=1, keepdims=True), 1e-9)
    alike = unit @ unit[one]
    alike[np.arange(len(alike)) == one if apart is None else apart == apart[one]] = -np.inf
    return np.argsort(-alike, kind="stable")[:count]
