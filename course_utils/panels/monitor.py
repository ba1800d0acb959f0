"""Watch a GAN while it trains: its curves, a sample to see and a sample to hear, renewed in place
every so many steps.
"""
from collections.abc import Callable, Mapping

import numpy as np

from course_utils import audio, environment, plots
from course_utils.checks import check_whole

MOST_POINTS = 300


class Monitor:
    """Show how a training goes under the cell that trains, in JupyterLab and in Colab.

    Notebook: 10_gan_composes_bars

    Use it in a `with` block, and call it after each step:

        with Monitor(50, panels={"losses": ("critic", "generator"), "gap": ("gap",)}, draw=draw,
            sound=sound) as monitor: for step in range(1, steps + 1):
                critic, generator, gap = train_step()
                monitor(step, critic=critic, generator=generator, gap=gap)

    Every 50 steps the page is drawn anew in place of the old one. Where outputs are about to be
    stored (`environment.quiet()`), only the last page is shown. The block's end always shows it,
    also after an error or an interruption.

    Attributes:
        steps: list of the steps recorded.
        history: dict from a curve's name to the list of its values, one a recorded step.

    Example:
        >>> from course_utils.panels import monitor
        >>> show = monitor.Monitor(50, panels={"losses": ("critic", "generator")})
        >>> show(1, critic=0.5, generator=0.25)
        >>> show.history
        {'critic': [0.5], 'generator': [0.25]}
    """

    def __init__(self, every: int, panels: Mapping[str, tuple[str, ...]],
                 draw: Callable[[object], object] | None = None,
                 sound: Callable[[], tuple[np.ndarray, int]] | None = None,
                 label: str = "A sample"):
        """Prepare an empty page.

        Args:
            every: steps from one page to the next.
            panels: title of each panel of curves, and the names of the curves in it.
            draw: function of matplotlib axes that draws a new sample there; None for no picture.
            sound: function without arguments that returns a new sample as y, (samples,), and its
                sample rate in Hz; None for no player. It is called after `draw`.
            label: says what is drawn and heard.

        Raises:
            ValueError: if `every` is not a whole number from 1 on, or there is no panel.
        """
        check_whole("every", every, 1)
        if not panels:
            raise ValueError("A monitor needs a panel with a curve at least, such as "
                             "panels={'losses': ('critic', 'generator')}.")
        self.every, self.panels, self.draw, self.sound, self.label = (every, dict(panels), draw,
                                                                      sound, label)
        self.steps: list[int] = []
        self.history: dict[str, list[float]] = {name: [] for names in self.panels.values()
                                                for name in names}
        self._handle = None

    def __enter__(self):
        return self

    def __exit__(self, *failure) -> None:
        if self.steps:
            self._show()

    def __call__(self, step: int, **values: float) -> None:
        """Record the values of a step, and show the page if it is time.

        Args:
            step: number of steps done.
            values: a number for each curve, by name.

        Raises:
            ValueError: if a curve lacks its value, or a value has no curve.
        """
        if values.keys() != self.history.keys():
            raise ValueError(f"The curves are {', '.join(self.history)}, but values came for "
                             f"{', '.join(values) or 'none'}. Name them in `panels`, and give each "
                             "a value at every step.")
        self.steps.append(int(step))
        for name, value in values.items():
            self.history[name].append(float(value))
        if step % self.every == 0 and not environment.quiet():
            self._show()

    def _show(self) -> None:
        """Put the page under the cell, or in the place of the page before."""
        from IPython.display import HTML, display

        page = HTML(self.page())
        if self._handle is None:
            self._handle = display(page, display_id=True)
        else:
            self._handle.update(page)

    def page(self) -> str:
        """Return curves, sample and player as one piece of HTML."""
        import matplotlib.pyplot as plt

        count = len(self.panels) + (self.draw is not None)
        figure, axes = plt.subplots(1, count, figsize=(3.6 * count, 2.6), layout="constrained",
                                    squeeze=False)
        for ax, (title, names) in zip(axes[0], self.panels.items()):
            for name in names:
                ax.plot(*thin(self.steps, self.history[name]), label=name)
            ax.set(title=title, xlabel="step")
            if len(names) > 1:
                ax.legend()
        if self.draw is not None:
            self.draw(axes[0, -1])
            axes[0, -1].set_title(self.label)
        player = audio.play(*self.sound(), label=self.label).data if self.sound is not None else ""
        return f"{plots.picture(figure, self.describe())}{player}"

    def describe(self) -> str:
        """Say in a line where the curves stand: the mean of the last tenth of each."""
        recent = -max(1, len(self.steps) // 10)
        values = ", ".join(f"{name} {np.mean(column[recent:]):.2f}"
                           for name, column in self.history.items())
        return f"Training after {self.steps[-1]} steps: {values}"


def thin(steps: list[int], values: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Return a curve of at most 300 points, each the mean over as many neighbours as it takes."""
    parts = np.array_split(np.arange(len(steps)), min(len(steps), MOST_POINTS))
    return tuple(np.array([np.mean(np.asarray(column, float)[part]) for part in parts])
                 for column in (steps, values))
