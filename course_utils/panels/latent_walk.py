"""A walk from one piece of noise to another, and what the bar GAN composes on the way: a function,
and a panel with sliders.
"""
import functools

import numpy as np

from course_utils import audio, plots, synth
from course_utils.checks import SR
from course_utils.gan import bar_gan
from course_utils.panels.composer import INSTRUMENTS
from course_utils.panels.show import panel

QUARTER_BPM = 100


def between(a: np.ndarray, b: np.ndarray, share: float | np.ndarray) -> np.ndarray:
    """Return noise on the way from `a` to `b`, along the sphere on which noise lies.

    Notebook: 10_gan_composes_bars (written out)

    The straight way leads through the middle, where no noise is ever drawn. Source: White, Sampling
    generative networks (2016).

    Args:
        a: (numbers,).
        b: (numbers,).
        share: of the way, 0 for `a` to 1 for `b`; a number, or an array (places, 1).

    Returns:
        (numbers,), or (places, numbers).
    """
    angle = np.arccos(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1, 1))
    if angle < 1e-6:
        return a + share * (b - a)
    return (np.sin((1 - share) * angle) * a + np.sin(share * angle) * b) / np.sin(angle)


def noise(seed: int) -> np.ndarray:
    """Return the noise that belongs to a seed, (64,).

    Example:
        >>> from course_utils.panels import latent_walk
        >>> first, again = latent_walk.noise(1), latent_walk.noise(1)
        >>> first.shape, bool((first == again).all())
        ((64,), True)
    """
    return np.random.default_rng(seed).standard_normal(bar_gan.NOISE)


def walk(generator, first: int, last: int, share: float) -> np.ndarray:
    """Compose two bars of the noise between two seeds, int8 (16, 4).

    Notebook: 10_gan_composes_bars

    Args:
        generator: what `bar_gan.bar_generator` built.
        first: seed at the beginning of the walk.
        last: seed at its end.
        share: of the way, 0 to 1.

    Raises:
        ValueError: if the share lies outside of 0 to 1, or a seed below 0.
    """
    if not 0 <= share <= 1 or min(first, last) < 0:
        raise ValueError("The share of the way is from 0 to 1, and seeds are from 0 on, not "
                         f"{share}, {first} and {last}.")
    return bar_gan.generate(generator, between(noise(first), noise(last), share)[None])[0]


def show_walk(generator, first: int = 1, last: int = 2, share: float = 0.0, semitones: int = 0,
              instruments: str = "wind quartet"):
    """Show and play what stands at a place of the walk; `walk` returns the notes.

    Notebook: 10_gan_composes_bars

    Args:
        generator, first, last, share: as in `walk`.
        semitones: up or down from C major, -6 to 6.
        instruments: one of `composer.INSTRUMENTS`.

    Returns:
        An `IPython.display.HTML` with picture and player.
    """
    from IPython.display import HTML

    score = bar_gan.to_score(walk(generator, first, last, share), semitones)
    y = synth.render(score, sr=SR, quarter_bpm=QUARTER_BPM, programs=INSTRUMENTS[instruments])
    label = f"{share:.0%} of the way from {first} to {last}"
    return HTML(f"{_picture(score, label)}{audio.play(y, SR, label).data}")


def _picture(score, label: str) -> str:
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(7, 2.4), layout="constrained")
    plots.piano_roll(score, ax)
    return plots.picture(figure, f"Two bars for four voices, {label}")


def explore_walk(generator):
    """Offer sliders for the two seeds, the place between them, and the key.

    Notebook: 10_gan_composes_bars

    Args:
        generator: what `bar_gan.bar_generator` built.

    Returns:
        An `ipywidgets.VBox`; `show_walk` shows the same without a browser.
    """
    import ipywidgets

    slow = {"continuous_update": False}
    controls = {"first": ipywidgets.BoundedIntText(value=1, min=0, max=9999,
                                                   description="from seed"),
                "last": ipywidgets.BoundedIntText(value=2, min=0, max=9999, description="to seed"),
                "share": ipywidgets.FloatSlider(value=0, min=0, max=1, step=0.05, description="way",
                                                **slow),
                "semitones": ipywidgets.IntSlider(value=0, min=-6, max=6, description="semitones",
                                                  **slow),
                "instruments": ipywidgets.Dropdown(options=list(INSTRUMENTS),
                                                   description="instruments")}
    return panel(controls, functools.partial(show_walk, generator))
