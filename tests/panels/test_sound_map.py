"""A map whose dots hold their sound, and neighbours that do not depend on loudness."""
import base64
import io
import re

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.panels import sound_map

SOUNDS = np.stack([np.sin(2 * np.pi * f * np.arange(4000) / 8000) for f in (220, 440, 880)])
POINTS = np.array([[0.0, 1.0], [5.0, -3.0], [2.0, 2.0]])


def test_every_dot_holds_its_sound_and_its_name():
    text = sound_map.sound_map(POINTS, SOUNDS, 8000, ["a<b", "c", "d"], ["low", "low", "high"]).data
    held = re.findall(r'data-sound="data:audio/mpeg;base64,([\w+/=]+)"', text)
    assert len(held) == text.count("<circle") == 3 and "a&lt;b (low)" in text and "a<b" not in text
    for sound, f in zip(held, (220, 440, 880)):
        y, sr = soundfile.read(io.BytesIO(base64.b64decode(sound)))
        assert sr == 8000 and np.abs(y).max() > 0.5
        assert abs(np.abs(np.fft.rfft(y * np.hanning(len(y)))).argmax() * sr / len(y) - f) < 5


def test_dots_lie_inside_and_as_the_points_do():
    text = sound_map.sound_map(POINTS, SOUNDS, 8000, "abc", "xyz").data
    places = np.array(re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', text), float)
    assert (places >= 0).all() and (places <= [sound_map.WIDTH, sound_map.HEIGHT]).all()
    assert places[:, 0].argsort().tolist() == [0, 2, 1]
    assert places[:, 1].argsort().tolist() == [2, 0, 1]


def test_one_sound_and_equal_points_are_a_map_too():
    assert "nan" not in sound_map.sound_map(np.zeros((1, 2)), SOUNDS[:1], 8000, ["a"], ["g"]).data


@pytest.mark.parametrize("points,labels,groups",
                         [(POINTS[:2], "abc", "xyz"), (POINTS, "ab", "xyz"), (POINTS, "abc", "xy"),
                          (POINTS.T, "abc", "xyz"), (POINTS[:, :1], "abc", "xyz")])
def test_numbers_that_differ_are_refused(points, labels, groups):
    with pytest.raises(ValueError, match="as many points"):
        sound_map.sound_map(points, SOUNDS, 8000, labels, groups)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 19), st.floats(0.01, 100), st.integers(0, 10**6))
def test_neighbours_go_by_angle_and_leave_out_what_is_to_be_left_out(one, gain, seed):
    rng = np.random.default_rng(seed)
    vectors, apart = rng.normal(size=(20, 8)), rng.integers(0, 5, 20)
    found = sound_map.nearest(vectors, one, 4)
    assert one not in found and len(set(found.tolist())) == 4
    scaled = vectors * np.where(np.arange(20) == one, gain, 1)[:, None]
    assert np.array_equal(sound_map.nearest(scaled, one, 4), found)
    if (apart != apart[one]).sum() >= 3:
        assert apart[one] not in apart[sound_map.nearest(vectors, one, 3, apart)]
    twin = np.vstack([vectors, 2 * vectors[one]])
    assert sound_map.nearest(twin, one, 1)[0] == 20
