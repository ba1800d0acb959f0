"""The feature explorer, with and without a browser, and the figures of features."""
import base64
import io
import re
from html import unescape

import matplotlib.pyplot as plt
import numpy as np
import pytest

from course_utils import audio, plots
from course_utils.checks import SR
from course_utils.panels import feature_explorer
from course_utils.sound import features

T = np.arange(SR) / SR
TONE = (0.5 * np.sin(2 * np.pi * 1000 * T) * np.exp(-2 * T)).astype(np.float32)


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def text(card):
    """Return what a card says in words."""
    return unescape(re.sub(r"<[^>]*>", " ", card if isinstance(card, str) else card.data))


def heard(card):
    """Return the sound in a card, or None."""
    found = re.search(r'data:audio/mpeg;base64,([^"]*)"', card.data)
    return found and audio.load(io.BytesIO(base64.b64decode(found[1])))


def loss(card):
    return float(re.search(r"([\d.]+) dB from the original", text(card))[1])


@pytest.mark.parametrize("feature,size",
                         [("STFT", 513), ("log-mel", 64), ("MFCC", 64), ("chroma", 12)])
def test_a_card_says_how_large_the_feature_is_and_shows_it(feature, size):
    card = feature_explorer.feature_card(TONE, SR, feature)
    assert f"{feature}: 63 frames of {size}, {size * 62.5:,.0f} numbers a second" in text(card)
    picture = base64.b64decode(re.search(r'data:image/png;base64,([^"]*)"', card.data)[1])
    assert plt.imread(io.BytesIO(picture)).std() > 0.1


@pytest.mark.slow
@pytest.mark.parametrize("feature", ["STFT", "log-mel", "MFCC"])
def test_the_tone_comes_back(feature):
    y, sr = heard(feature_explorer.feature_card(TONE, SR, feature))
    assert np.abs(np.fft.rfft(y)).argmax() * sr / len(y) == pytest.approx(1000, rel=0.05)
    assert np.sqrt(np.mean(y**2)) == pytest.approx(np.sqrt(np.mean(TONE**2)), rel=0.3)


def test_chroma_has_no_way_back():
    card = feature_explorer.feature_card(TONE, SR, "chroma")
    assert heard(card) is None and "Octave" in text(card)


@pytest.mark.slow
def test_fewer_bins_lose_more():
    losses = [loss(feature_explorer.feature_card(TONE, SR, feature, bins=bins))
              for feature, bins in (("STFT", 64), ("log-mel", 64), ("log-mel", 8))]
    assert losses == sorted(losses) and losses[0] < losses[2] / 2
    assert loss(feature_explorer.feature_card(TONE, SR, "MFCC",
                                              bins=64)) == pytest.approx(losses[1], abs=0.1)
    assert loss(feature_explorer.feature_card(TONE, SR, "MFCC", bins=4)) > losses[1]


@pytest.mark.slow
@pytest.mark.parametrize("y", [TONE[:1], TONE[:700], np.zeros(5000)],
                         ids=["one sample", "under a window", "silence"])
@pytest.mark.parametrize("feature", feature_explorer.FEATURES)
def test_cards_of_odd_sounds(y, feature):
    assert "frames of" in text(feature_explorer.feature_card(y, SR, feature))


def test_a_long_hop_leaves_a_rest_that_is_not_compared():
    assert loss(feature_explorer.feature_card(TONE[:15000], SR, "STFT", n_fft=8192,
                                              hop_length=4096)) < 20


BAD = [
    ("another feature", (TONE, SR, "mel"), {}, "STFT, log-mel, MFCC, chroma"),
    ("two channels", (np.zeros((100, 2)), SR), {}, "to_mono"),
    ("no samples", (np.zeros(0), SR), {}, "empty"),
    ("NaN", (np.full(100, np.nan), SR), {}, "NaN"),
    ("an hour", (np.zeros(SR * 31), SR), {}, "at most 30 seconds"),
    ("rate 0", (TONE, 0), {}, "sample rate"),
    ("too many bands", (TONE, SR), {"n_fft": 128}, "Take fewer"),
    ("too many coefficients", (TONE, SR, "MFCC"), {"bins": 65}, "n_mfcc"),
    ("no bands", (TONE, SR), {"bins": 0}, "n_mels"),
    ("odd window", (TONE, SR, "STFT"), {"n_fft": 1001}, "even"),
    ("hop without overlap", (TONE, SR, "STFT"), {"hop_length": 1000}, "hop_length"),
]


@pytest.mark.parametrize(("given", "sizes", "advice"), [case[1:] for case in BAD],
                         ids=[case[0] for case in BAD])
def test_bad_input_raises_one_clear_error(given, sizes, advice):
    with pytest.raises(ValueError, match=advice):
        feature_explorer.feature_card(*given, **sizes)


@pytest.fixture
def panel():
    return feature_explorer.feature_explorer(TONE, SR)


@pytest.mark.slow
def test_the_panel_shows_its_first_state_and_follows_the_controls(panel):
    feature, n_fft, hop, bins, card = panel.children
    assert card.value == feature_explorer.feature_card(TONE, SR).data
    bins.value = 16
    assert card.value == feature_explorer.feature_card(TONE, SR, bins=16).data
    n_fft.value, hop.value = 2048, 2
    assert card.value == feature_explorer.feature_card(TONE, SR, n_fft=2048, hop_length=1024,
                                                       bins=16).data
    feature.value = "MFCC"
    assert card.value == feature_explorer.feature_card(TONE, SR, "MFCC", 2048, 1024, 16).data


@pytest.mark.slow
def test_the_panel_switches_off_what_has_no_effect(panel):
    feature, n_fft, hop, bins, card = panel.children
    switched_off = {}
    for feature.value in feature_explorer.FEATURES:
        switched_off[feature.value] = (n_fft.disabled, bins.disabled)
    assert switched_off == {"STFT": (False, True), "log-mel": (False, False),
                            "MFCC": (False, False), "chroma": (True, True)}
    n_fft.value = 16384
    assert "chroma: " in text(card.value)


@pytest.mark.slow
def test_the_panel_explains_sizes_that_do_not_fit(panel):
    feature, n_fft, hop, bins, card = panel.children
    feature.value, bins.value, n_fft.value = "log-mel", 64, 128
    assert "Take fewer bands" in card.value and "<img" not in card.value
    n_fft.value = 1024
    assert "<img" in card.value


def test_a_panel_needs_a_sound():
    with pytest.raises(ValueError, match="to_mono"):
        feature_explorer.feature_explorer(np.zeros((100, 2)), SR)


@pytest.mark.parametrize("kind", ["STFT", "power", "log-mel", "MFCC", "chroma"])
def test_feature_image_has_a_column_a_frame_and_a_row_a_bin(kind):
    values = np.random.default_rng(0).random((20, 12))
    _, ax = plt.subplots()
    assert plots.feature_image(values, SR, 160, kind, ax) is ax
    np.testing.assert_array_equal(ax.images[0].get_array(), values.T)
    left, right, bottom, top = ax.images[0].get_extent()
    assert (left, right) == pytest.approx((-0.005, 0.195))
    assert (bottom, top) == ((0, SR / 2) if kind in ("STFT", "power") else (-0.5, 11.5))


def test_mel_ticks_stand_where_the_tone_is():
    ax = plots.feature_image(features.log_mel(TONE, SR), SR)
    tick = dict(zip((label.get_text() for label in ax.get_yticklabels()), ax.get_yticks()))["1000"]
    assert tick == pytest.approx(features.log_mel(TONE, SR)[10].argmax(), abs=1)


@pytest.mark.parametrize("bins", [1, 2])
def test_feature_image_of_very_few_coefficients(bins):
    assert plots.feature_image(np.zeros((3, bins)), SR, kind="MFCC").images


def test_compare_spectrograms_keeps_a_thin_line_and_its_place():
    axes = plots.compare_spectrograms({"long": TONE, "short": TONE}, SR, (4096, 256), seconds=0.5,
                                      highest=2000)
    assert [ax.get_title() for ax in axes] == ["long", "short"]
    for ax, bin_width in zip(axes, (SR / 4096, SR / 256)):
        levels, (*_, top) = ax.images[0].get_array(), ax.images[0].get_extent()
        assert levels.max() == pytest.approx(0, abs=1e-3)
        row = levels[:, 20].argmax()
        assert (row + 0.5) * top / len(levels) == pytest.approx(1000,
                                                                abs=2 * bin_width + top
                                                                / len(levels))
        assert ax.get_xlim() == (0, 0.5) and ax.get_ylim() == (0, 2000)
