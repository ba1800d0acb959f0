"""Figures show what they are given."""
import matplotlib.pyplot as plt
import numpy as np
import pytest

from course_utils import plots
from course_utils.scores import REST, from_grid


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_piano_roll_has_one_bar_a_note():
    pitches = np.array([[72, 60], [72, 60], [74, REST], [74, 60]])
    ax = plots.piano_roll(from_grid(pitches))
    bars = sorted((p.get_x(), p.get_width(), p.get_y() + p.get_height() / 2) for p in ax.patches)
    assert bars == [(0, 0.5, 60), (0, 0.5, 72), (0.5, 0.5, 74), (0.75, 0.25, 60)]


def test_piano_roll_splits_repeated_notes():
    onsets = np.array([[True], [False], [True]])
    assert len(plots.piano_roll(from_grid(np.full((3, 1), 60), onsets)).patches) == 2


def test_helpers_draw_on_the_axes_they_get():
    _, ax = plt.subplots()
    assert plots.piano_roll(from_grid(np.full((4, 4), 60)), ax) is ax
    assert plots.course_map(ax) is ax
    assert plots.bars(["a", "b"], [1.0, 2.0], "nats", ax) is ax


def test_course_map_names_every_notebook():
    texts = " ".join(t.get_text() for t in plots.course_map().texts)
    assert all(f"{number:02d}" in texts for number in range(1, 14))


def test_bars_show_their_numbers_in_order():
    ax = plots.bars(["blind", "LSTM"], [4.09, 0.35], "nats per note")
    assert [t.get_text() for t in ax.texts] == ["4.09", "0.35"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]
