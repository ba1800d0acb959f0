"""Panels show their first state at once and follow their controls; the plain functions beside them
do the same.
"""
import io

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.panels import recording
from course_utils.sound.preparing import quantize

SR = 8000
NEW = ipywidgets.__version__.startswith("8")


def tone(hertz=440.0, seconds=1.0, sr=SR):
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * sr))
                         / sr)).astype(np.float32)


def encoded(y, sr=SR, kind="WAV"):
    file = io.BytesIO()
    soundfile.write(file, y, sr, format=kind)
    return file.getvalue()


def as_uploaded(layout, *files):
    """Return what a FileUpload's value looks like in ipywidgets 7 or 8, for files of (name,
    content).
    """
    if layout == 8:
        return tuple({"name": name, "type": "", "size": len(data), "content": memoryview(data)}
                     for name, data in files)
    return {name: {"metadata": {"name": name, "type": "", "size": len(data)}, "content": data}
            for name, data in files}


def choose(panel, name, data):
    """Do to the panel's button what the browser does when a file has been chosen."""
    button = panel.children[0].children[0]
    if NEW:
        entry = {"name": name, "type": "", "size": len(data), "content": memoryview(data),
                 "last_modified": 1000}
        button.set_state({"value": [entry]})
    else:
        button.set_state({"metadata": [{"name": name}], "data": [memoryview(data)],
                          "_counter": button._counter + 1})


@pytest.fixture(autouse=True)
def no_figure_is_left_open():
    yield
    left = plt.get_fignums()
    plt.close("all")
    assert not left


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG"])
@pytest.mark.parametrize("layout", [7, 8])
def test_an_upload_is_loaded_in_both_layouts(layout, kind):
    stereo = np.stack([tone(), tone(660)], axis=1)
    y, sr, name = recording.load_upload(
        as_uploaded(layout, ("my song.x", encoded(stereo, kind=kind))))
    assert (y.shape, y.dtype, sr, name) == (stereo.shape, np.float32, SR, "my song.x")
    assert np.abs(y - stereo).max() < (0.1 if kind == "OGG" else 1e-4)


@pytest.mark.parametrize("layout", [7, 8])
def test_the_last_of_several_uploads_counts(layout):
    files = [("old.wav", encoded(tone())), ("new.wav", encoded(tone(), sr=16000))]
    assert recording.load_upload(as_uploaded(layout, *files))[1:] == (16000, "new.wav")


@pytest.mark.parametrize("layout", [7, 8])
@pytest.mark.parametrize("data,told", [
    (b"La la la", "could not be decoded.*ffmpeg"), (b"", "could not be decoded"),
    (encoded(tone())[:6000], "cut off"), (encoded(tone()[:0]), "no samples"),
], ids=["text", "empty", "cut off", "header alone"])
def test_a_bad_upload_is_named_with_what_to_do(layout, data, told):
    with pytest.raises((ValueError, OSError), match=f"'tune.wav'.*{told}") as raised:
        recording.load_upload(as_uploaded(layout, ("tune.wav", data)))
    assert "opened file" not in str(raised.value)


@pytest.mark.parametrize("nothing", [(), {}, None])
def test_no_upload_yet_says_so(nothing):
    with pytest.raises(ValueError, match="No file has been chosen yet"):
        recording.load_upload(nothing)


def test_the_upload_panel_shows_an_example_then_the_file():
    panel = recording.upload_sound(tone(), SR)
    page = panel.children[1]
    assert "<img" in page.value and "<audio" in page.value and "1.00 s = 8000 samples" in page.value
    choose(panel, "<b>& $x$.wav", encoded(tone(seconds=0.5), sr=16000))
    assert "0.25 s = 4000 samples" in page.value and "&lt;b&gt;&amp; $x$.wav" in page.value
    assert "<b>&" not in page.value
    y, sr = panel.sound
    assert (len(y), sr) == (4000, 16000)


def test_the_upload_panel_says_what_is_wrong_and_keeps_the_last_sound():
    panel = recording.upload_sound(tone(), SR)
    choose(panel, "<i>.m4a", b"no sound")
    assert "&lt;i&gt;.m4a" in panel.children[1].value
    assert "could not be decoded" in panel.children[1].value
    assert "<audio" not in panel.children[1].value and len(panel.sound[0]) == SR
    choose(panel, "good.flac", encoded(tone(seconds=2.0), kind="FLAC"))
    assert "good.flac" in panel.children[1].value and len(panel.sound[0]) == 2 * SR


def test_the_upload_panel_warns_of_the_size_that_gets_lost(monkeypatch):
    def note():
        return recording.upload_sound(tone(), SR).children[0].children[1].value

    monkeypatch.setattr(recording, "in_colab", lambda: False)
    assert "10 MB" in note()
    monkeypatch.setattr(recording, "in_colab", lambda: True)
    assert "1 MB" in note() and "10 MB" not in note()


FAST = tone(seconds=0.1, sr=16000)
FAULTS = {
    "silent": (np.zeros(1000), 16000, "silent"),
    "clipped": (np.clip(2.1 * FAST, -1, 1), 16000, "clipped"),
    "too loud": (4 * FAST, 16000, "exceeds full scale"),
    "soft": (0.01 * FAST, 16000, "only -46 dBFS"),
    "offset": (FAST + 0.1, 16000, "0.100"),
    "low rate": (tone(), SR, "4000 Hz"),
    "cancelling": (np.stack([FAST, -FAST], axis=1), 16000, "cancel"),
}


@pytest.mark.parametrize("y,sr,told", FAULTS.values(), ids=FAULTS)
def test_each_fault_is_found_alone(y, sr, told):
    sentences = recording.explain(y, sr)
    assert len(sentences) == 1 and told in sentences[0]


@pytest.mark.parametrize("y", [FAST, np.stack([FAST, 0.5 * FAST], axis=1),
                               (FAST * 32767).astype(np.int16)])
def test_a_good_recording_is_not_blamed(y):
    assert recording.explain(y, 16000) == ["Nothing wrong was found."]


def test_several_faults_are_all_told():
    assert len(recording.explain(np.clip(4 * tone() + 0.5, -1, 1), SR)) == 3


@pytest.mark.parametrize("y", [tone(), np.zeros(3), np.ones((1, 2)),
                               tone(seconds=0.5).reshape(-1, 2)])
def test_examine_shows_measures_findings_and_a_player(y):
    page = recording.examine(y, SR, label="a <b>").data
    assert f"{len(y)} samples / 8000 Hz" in page and "4000 Hz" in page and "a &lt;b&gt;" in page
    assert "<audio" in page
    assert all(sentence in page for sentence in recording.explain(y, SR) if "'" not in sentence)


def test_examine_plays_only_the_beginning_of_a_long_sound():
    short, long = (recording.examine(tone(seconds=seconds), SR, label="song").data
                   for seconds in (30, 65))
    assert "song (30.0 s)" in short and "song, its beginning (30.0 s)" in long
    assert "65.00 s = 520000" in long


@pytest.mark.parametrize("y,sr", [([], SR), (np.full(9, np.nan), SR), (tone(), 0), ("text", SR),
                                  (np.zeros((2, 8000)), SR)])
def test_examine_refuses_what_is_no_sound(y, sr):
    with pytest.raises(ValueError):
        recording.examine(y, sr)


def strongest(y, sr):
    return np.fft.rfftfreq(len(y), 1 / sr)[np.abs(np.fft.rfft(y)).argmax()]


def test_without_a_filter_a_tone_above_nyquist_folds_and_with_it_vanishes():
    y = tone(3000)
    folded, filtered = (recording.degrade(y, SR, 4000, 16, filtered=f) for f in (False, True))
    assert strongest(folded, 4000) == 1000 and np.abs(folded).max() > 0.4
    assert np.abs(filtered[100:-100]).max() < 0.01


@settings(max_examples=30)
@given(st.sampled_from([8000, 4000, 2000, 1000]), st.integers(2, 16), st.booleans(),
       st.integers(1, 500))
def test_degrade_keeps_duration_and_levels(new_sr, bits, filtered, samples):
    y = np.random.default_rng(samples).uniform(-1, 1, samples).astype(np.float32)
    worse = recording.degrade(y, SR, new_sr, bits, filtered)
    assert abs(len(worse) - samples * new_sr / SR) <= 1 and worse.dtype == np.float32
    np.testing.assert_array_equal(worse, quantize(worse, bits))


def test_degrade_leaves_alone_what_it_should():
    np.testing.assert_array_equal(recording.degrade(tone(), SR, SR, 16), quantize(tone(), 16))


@pytest.mark.parametrize("change", [{"new_sr": 3000}, {"new_sr": 16000}, {"bits": 1}, {"bits": 2.5},
                                    {"y": np.zeros((9, 2))}])
def test_degrade_says_what_it_can_do(change):
    with pytest.raises(ValueError):
        recording.degrade(**({"y": tone(), "sr": SR, "new_sr": 4000, "bits": 8} | change))
    with pytest.raises(ValueError, match="8000, 4000, 2000"):
        recording.degrade(tone(), SR, 3000, 8)


@pytest.mark.parametrize("sr,expected", [(22050, 10), (44101, 1), (500, 1), (1000, 1), (48000, 11)])
def test_the_rates_on_offer_divide_the_rate(sr, expected):
    offered = recording.rates(sr)
    assert offered[0] == sr and all(sr % rate == 0 for rate in offered)
    assert len(set(offered)) == len(offered) == expected


def test_rate_and_bits_shows_and_plays_one_setting():
    page = recording.rate_and_bits(tone(), SR, 2000, 4, filtered=False).data
    assert all(text in page for text in ("8 kbit/s", "above 1000 Hz",
                                         "2000 Hz, 4 bits, not filtered", "<audio"))


def test_the_explorer_follows_its_controls():
    panel = recording.explore_rate_and_bits(tone(), SR)
    rate, bits, filtered, page = panel.children
    assert "<img" in page.value and "8000 Hz, 8 bits, filtered first" in page.value
    rate.value = 2000
    bits.value = 3
    assert "2000 Hz, 3 bits, filtered first" in page.value
    before = page.value
    filtered.value = False
    assert "2000 Hz, 3 bits, not filtered" in page.value and page.value != before


@pytest.mark.parametrize("sr", [500, 44101])
def test_the_explorer_takes_rates_that_nothing_divides(sr):
    assert f"{sr} Hz, 8 bits" in recording.explore_rate_and_bits(tone(100, sr=sr),
                                                                 sr).children[-1].value


def test_the_explorer_shows_integers_as_it_shows_floats():
    y = (tone() * 32767).astype(np.int16)
    of_integers, of_floats = (recording.explore_rate_and_bits(z, SR).children[-1].value
                              for z in (y, y / 32768))
    assert of_integers == of_floats


def test_rate_and_bits_draws_the_original_beside_what_is_left(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    recording.rate_and_bits((tone() * 32767).astype(np.int16), SR, 4000, 3)
    original, now = shown[0].axes[0].lines
    assert original.get_ydata().max() == pytest.approx(0.5, abs=0.01)
    assert len(original.get_ydata()) == 81
    assert set(np.unique(now.get_ydata())) <= {-0.5, -0.25, 0, 0.25, 0.5}
    assert len(now.get_ydata()) == 41
