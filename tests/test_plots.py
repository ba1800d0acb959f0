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
    assert plots.bar_chart(["a", "b"], [1.0, 2.0], "nats", ax) is ax


def test_course_map_names_every_notebook():
    texts = " ".join(t.get_text() for t in plots.course_map().texts)
    assert all(f"{number:02d}" in texts for number in range(1, 14))


def test_bars_show_their_numbers_in_order():
    ax = plots.bar_chart(["blind", "LSTM"], [4.09, 0.35], "nats per cell")
    assert [t.get_text() for t in ax.texts] == ["4.09", "0.35"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]


SR = 8000
TONE = np.sin(2 * np.pi * 1000 * np.arange(SR) / SR)


def test_waveform_draws_every_sample_while_they_are_few():
    line = plots.waveform(TONE[:100], SR).lines[0]
    np.testing.assert_allclose(line.get_ydata(), TONE[:100], atol=1e-6)
    np.testing.assert_allclose(line.get_xdata(), np.arange(100) / SR)
    assert line.get_marker() == "o" and plots.waveform(TONE[:1000], SR).lines[0].get_marker() != "o"


@pytest.mark.parametrize("samples", [4001, 7999, 100_000])
def test_waveform_of_many_samples_keeps_lone_peaks_and_offsets(samples):
    y = np.full(samples, 0.2)
    y[[samples // 3, -1]] = (0.9, -0.7)
    ax = plots.waveform(y, SR)
    heights = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert heights.max() == pytest.approx(0.9) and heights.min() == pytest.approx(-0.7)
    assert np.median(heights) == pytest.approx(0.2) and ax.get_xlim() == (0, samples / SR)


@pytest.mark.parametrize("samples", [1, 50, 9000])
def test_waveform_names_the_channels(samples):
    ax = plots.waveform(np.ones((samples, 2)), SR)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["channel 0", "channel 1"]
    assert plots.waveform(np.ones(samples), SR).get_legend() is None


@pytest.mark.parametrize("amplitude,dbfs", [(1.0, 0.0), (0.5, -6.02)])
def test_spectrum_puts_a_sine_at_its_frequency_and_level(amplitude, dbfs):
    line = plots.spectrum(amplitude * TONE, SR).lines[0]
    peak = line.get_ydata().argmax()
    assert line.get_xdata()[peak] == pytest.approx(1000)
    assert line.get_ydata()[peak] == pytest.approx(dbfs, abs=0.05)


@pytest.mark.parametrize("seconds", [0.5, 3, 200])
def test_spectrogram_shows_when_and_where(seconds):
    half = round(seconds * SR / 2)
    t = np.arange(2 * half) / SR
    y = np.sin(2 * np.pi * np.where(np.arange(2 * half) < half, 1000, 3000) * t)
    ax = plots.spectrogram(y, SR)
    picture, (left, right, low, high) = ax.images[0].get_array(), ax.images[0].get_extent()
    assert (left, right, low, high) == (0, 2 * half / SR, 0, SR / 2) and picture.shape[1] <= 1000
    for part, hertz in ((0.25, 1000), (0.75, 3000)):
        loudest = picture[:, int(part * picture.shape[1])].argmax()
        assert (loudest + 0.5) * high / len(picture) == pytest.approx(hertz,
                                                                      abs=2 * high / len(picture))


@pytest.mark.slow
@pytest.mark.parametrize("y", [np.zeros(1), np.zeros(5000), np.ones(10)])
def test_pictures_of_sound_take_silence_and_snippets(y):
    for draw in (plots.waveform, plots.spectrum, plots.spectrogram):
        draw(y, SR).figure.canvas.draw()


@pytest.mark.parametrize("draw", [plots.waveform, plots.spectrum, plots.spectrogram])
def test_pictures_of_sound_draw_on_the_axes_they_get_and_refuse_what_is_no_sound(draw):
    _, ax = plt.subplots()
    assert draw(TONE, SR, ax) is ax
    for y, sr in (([], SR), (TONE * np.nan, SR), (TONE, -1)):
        with pytest.raises(ValueError):
            draw(y, sr)
