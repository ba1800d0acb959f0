"""Imagined instruments: labelled like rendered tones, in tune, different from one another, and as
their family must be.
"""
import numpy as np
import pytest

from course_utils.sound import imagined, tones


@pytest.fixture(scope="module")
def some():
    return imagined.imagined_tones(6, 3, seed=5)


def test_they_are_labelled_like_rendered_tones(some):
    assert len(some) == 8 * 6 * 3 and some.waveform.shape == (len(some), 16000)
    assert some.waveform.dtype == np.float32
    assert list(imagined.FAMILIES) == list(tones.FAMILIES) == list(some.families)
    assert np.bincount(some.family).tolist() == [18] * 8 and len(set(some.program.tolist())) == 48
    assert some.program.min() >= 1000 and some.instrument[0] == "imagined plucked 0"
    assert set(some.pitch.tolist()) <= set(tones.PITCHES)
    assert set(some.velocity.tolist()) <= set(tones.VELOCITIES)


def test_they_sound_at_a_sensible_level(some):
    assert np.isfinite(some.waveform).all()
    assert np.allclose(np.abs(some.waveform).max(axis=1), imagined.LEVEL, atol=1e-4)
    assert np.sqrt((some.waveform**2).mean(axis=1)).min() > 1e-3
    assert np.abs(some.waveform[:, :3]).max() < 0.2 * imagined.LEVEL, ("a tone that begins with a "
                                                                       "jump clicks")


def test_seeds_repeat_and_more_instruments_leave_the_first_ones_as_they_are(some):
    fewer = imagined.imagined_tones(2, 3, seed=5)
    np.testing.assert_array_equal(fewer.waveform[:6], some.waveform[:6])
    assert not np.array_equal(imagined.imagined_tones(1, 3, seed=6).waveform[0], some.waveform[0])
    assert np.abs(np.corrcoef(some.waveform[::3]) - np.eye(48)).max() < 0.99


def test_left_alone_they_die_away_and_kept_going_they_stay(some):
    early, late = (np.sqrt((some.waveform[:, part] ** 2).mean(axis=1))
                   for part in (slice(1600, 4800), slice(9600, 12800)))
    kept = np.array([np.median((late / early)[some.family == k]) for k in range(8)])
    lively = dict(zip(some.families, kept))
    assert max(lively["plucked"], lively["bars"]) < 0.8
    assert min(lively[name] for name in ("bowed", "brass", "reeds", "flutes", "organs")) > 0.8


def test_strings_and_winds_sound_at_their_pitch(some):
    at = np.fft.rfftfreq(2**16, 1 / 16000)
    for name in ("plucked", "bowed", "brass", "reeds", "flutes"):
        for row in np.flatnonzero(some.family == some.families.index(name)):
            power = np.abs(np.fft.rfft(some.waveform[row] * np.hanning(16000), 2**16)) ** 2
            f = 440 * 2 ** ((some.pitch[row] - 69) / 12)
            comb = np.abs(at / f - np.round(at / f)) < 0.08
            assert power[comb & (at > f / 2)].sum() > 0.7 * power[at > 60].sum(), (name, row)


@pytest.mark.parametrize("options",
                         [{"per_family": 0}, {"per_family": 2.5}, {"per_family": "3"},
                          {"per_family": True}, {"per_family": 1, "per_instrument": 0},
                          {"per_family": 1, "per_instrument": -2}])
def test_bad_counts(options):
    with pytest.raises(ValueError, match="whole number from 1 on"):
        imagined.imagined_tones(**options)
