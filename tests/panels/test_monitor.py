"""The monitor: what it records, when it shows a page, that the page is renewed in place, and what
the page holds.
"""
import re

import numpy as np
import pytest

from course_utils.panels import monitor
from course_utils.panels.monitor import Monitor

PANELS = {"losses": ("critic", "generator"), "gap": ("gap",)}


class Handle:
    def __init__(self, pages):
        self.pages = pages

    def update(self, page):
        self.pages.append(("update", page.data))


@pytest.fixture
def pages(monkeypatch):
    """Collect what is shown instead of showing it."""
    import IPython.display

    shown = []

    def display(page, display_id):
        shown.append(("display", page.data))
        return Handle(shown)

    monkeypatch.setattr(IPython.display, "display", display)
    return shown


def train(steps, every=2, first=1, **parts):
    with Monitor(every, PANELS, **parts) as watching:
        for step in range(first, steps + 1):
            watching(step, critic=-step, generator=np.float32(2 * step), gap=0.5)
    return watching


@pytest.mark.slow
def test_page_is_shown_every_few_steps_in_place_of_the_last(pages, monkeypatch):
    monkeypatch.delenv("COURSE_QUIET", raising=False)
    train(6)
    assert [how for how, _ in pages] == ["display", "update", "update", "update"]
    assert ["after 2 steps" in pages[0][1], "after 6 steps" in pages[-1][1]] == [True, True]


def test_only_the_last_page_is_shown_where_outputs_are_stored(pages, monkeypatch):
    monkeypatch.setenv("COURSE_QUIET", "1")
    watching = train(7)
    assert len(pages) == 1 and pages[0][0] == "display" and "after 7 steps" in pages[0][1]
    assert watching.steps == list(range(1, 8))
    assert watching.history["generator"] == [2.0 * s for s in range(1, 8)]


def test_an_interrupted_training_still_shows_where_it_stood(pages, monkeypatch):
    monkeypatch.setenv("COURSE_QUIET", "1")
    with pytest.raises(KeyboardInterrupt), Monitor(10, PANELS) as watching:
        watching(1, critic=1, generator=2, gap=3)
        raise KeyboardInterrupt
    assert len(pages) == 1 and "after 1 steps" in pages[0][1]


def test_nothing_is_shown_of_a_training_that_did_not_begin(pages):
    with Monitor(1, PANELS):
        pass
    assert pages == []


def test_page_holds_picture_sample_and_player(pages, monkeypatch):
    monkeypatch.setenv("COURSE_QUIET", "1")
    drawn = []
    train(3, draw=drawn.append, sound=lambda: (np.sin(np.arange(4000) / 5).astype(np.float32),
                                               16000), label="A <bar>")
    page = pages[0][1]
    assert len(drawn) == 1 and drawn[0].get_title() == "A <bar>"
    assert re.search(r'<img alt="Training after 3 steps: critic -3.00, generator 6.00, gap 0.50" '
                     r'src="data:image/png', page)
    assert "<audio controls" in page and "A &lt;bar&gt;" in page


def test_page_needs_no_sample(pages, monkeypatch):
    monkeypatch.setenv("COURSE_QUIET", "1")
    train(1)
    assert "<audio" not in pages[0][1] and "<img" in pages[0][1]


def test_figures_are_closed(pages, monkeypatch):
    import matplotlib.pyplot as plt

    monkeypatch.delenv("COURSE_QUIET", raising=False)
    before = plt.get_fignums()
    train(4)
    assert plt.get_fignums() == before


@pytest.mark.parametrize("values", [{}, {"critic": 1, "generator": 1},
                                    {"critic": 1, "generator": 1, "gap": 1, "more": 1}])
def test_values_have_to_fit_the_curves(values):
    with pytest.raises(ValueError, match="The curves are critic, generator, gap"):
        Monitor(1, PANELS)(1, **values)


@pytest.mark.parametrize("every,panels,told",
                         [(0, PANELS, "every"), (2.5, PANELS, "every"), (1, {}, "panel")])
def test_a_monitor_that_cannot_work_is_refused(every, panels, told):
    with pytest.raises(ValueError, match=told):
        Monitor(every, panels)


@pytest.mark.parametrize("count", [1, 7, 300, 301, 5000])
def test_long_curves_are_thinned_to_means(count):
    steps, values = list(range(1, count + 1)), list(np.linspace(3, 5, count))
    x, y = monitor.thin(steps, values)
    assert len(x) == len(y) == min(count, 300) and (np.diff(x) > 0).all()
    assert np.isclose(np.interp(x[len(x) // 2], steps, values), y[len(y) // 2])
