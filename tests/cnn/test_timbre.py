"""What the timbre network sees, how its training data are changed, and what it says of recordings,
good and bad.
"""
import functools

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import timbre as versions
from course_utils import datasets, environment
from course_utils.checks import SR
from course_utils.cnn import networks, timbre
from course_utils.sound import imagined, tones


@functools.cache  # a fixture would not do for hypothesis
def imagined_notes():
    return imagined.imagined_tones(5, 4, seed=2)


@pytest.fixture
def some():
    return imagined_notes()


def note(hertz=440.0, seconds=1.0, sr=SR):
    t = np.arange(round(seconds * sr)) / sr
    return sum(0.3 / h * np.sin(2 * np.pi * hertz * h * t) for h in range(1, 6)) * np.exp(-3 * t)


def melody(count, sr=SR, gap=0.25):
    return np.concatenate([np.r_[note(220 * 2 ** (k / 12), 0.75, sr), np.zeros(round(gap * sr))]
                           for k in range(count)])


@settings(max_examples=15, deadline=None)
@given(st.floats(1e-3, 3), st.integers(0, 159))
def test_pictures_do_not_depend_on_loudness(gain, row):
    y = imagined_notes().waveform[row]
    a, b = timbre.pictures(y)[0], timbre.pictures(gain * y)[0]
    assert a.shape == (63, 64) and a.dtype == np.float32 and a.max() == 1 and a.min() >= -1
    assert np.abs(a - b).max() < 1e-3


def test_balance_gives_every_family_and_every_instrument_the_same():
    family, program = np.array([0, 0, 0, 0, 1, 1]), np.array([7, 7, 7, 8, 9, 9])
    weight = timbre.balance(family, program)
    assert weight.mean() == pytest.approx(1)
    assert weight[family == 0].sum() == pytest.approx(weight[family == 1].sum())
    assert weight[program == 7].sum() == pytest.approx(weight[program == 8].sum())
    order = np.array([3, 0, 5, 1, 4, 2])
    assert np.allclose(timbre.balance(family[order], program[order]), weight[order])


def test_balanced_accuracy_counts_families_alike():
    family = np.array([0] * 9 + [3])
    assert timbre.balanced_accuracy(family, np.zeros(10, int)) == 0.5
    assert timbre.balanced_accuracy(family, family) == 1


def test_blended_notes_lie_between_two_of_their_kind(some):
    x, rng = timbre.pictures(some.waveform), np.random.default_rng(0)
    pitch = np.where(some.pitch < 60, 50, 70)
    mixed = timbre.blend(x, some.family, pitch, rng)
    assert mixed.shape == x.shape and mixed.dtype == np.float32 and not np.allclose(mixed, x)
    for kind in {*zip(some.family.tolist(), pitch.tolist())}:
        rows = (some.family == kind[0]) & (pitch == kind[1])
        assert (mixed[rows] <= x[rows].max(axis=0) + 1e-5).all()
        assert (mixed[rows] >= x[rows].min(axis=0) - 1e-5).all()
    lonely = timbre.blend(x[:1], some.family[:1], pitch[:1], rng)
    assert np.allclose(lonely, x[:1], atol=1e-6)


def test_augmented_pictures_stay_pictures_and_stay_alike(some):
    x = timbre.pictures(some.waveform)
    before = x.copy()
    changed = timbre.augment(x, np.random.default_rng(1))
    assert np.array_equal(x, before) and changed.dtype == np.float32 and changed.shape == x.shape
    assert np.allclose(changed.max(axis=(1, 2)), 1, atol=1e-6) and changed.min() >= -1
    assert not np.allclose(changed, x, atol=0.05)
    alike = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(changed, x)]
    assert np.median(alike) > 0.6
    assert np.array_equal(changed, timbre.augment(x, np.random.default_rng(1)))


def test_training_learns_repeats_itself_and_measures_validation(some):
    x, weight = timbre.pictures(some.waveform), timbre.balance(some.family, some.program)
    runs = []
    for _ in range(2):
        keras.utils.set_random_seed(0)
        model = networks.timbre_cnn(channels=16)
        curves = timbre.train(model, x, some.family, weight, 6, seed=3, change=timbre.augment,
                              validation=(x, some.family))
        runs.append((curves, timbre.predict(model, x)))
    assert {len(values) for values in curves.values()} == {6}
    assert {"loss", "accuracy", "val_loss", "val_accuracy"} <= curves.keys()
    assert curves["loss"][-1] < 0.9 * curves["loss"][0]
    assert np.allclose(runs[0][1], runs[1][1], atol=1e-4)


@pytest.mark.parametrize("build,shape",
                         [(networks.frame_cnn, (1024, 1)), (networks.picture_cnn, (63, 64)),
                          (networks.timbre_cnn, (63, 64))])
def test_builders_give_probabilities(build, shape):
    model = build(5)
    p = timbre.predict(model, np.random.default_rng(0).normal(size=(3, *shape)))
    assert p.shape == (3, 5) and np.allclose(p.sum(axis=1), 1, atol=1e-5) and (p >= 0).all()


def test_the_frame_network_is_the_one_of_the_tutorials():
    convolutions = [layer for layer in networks.frame_cnn().layers
                    if isinstance(layer, keras.layers.Conv1D)]
    assert [(c.filters, c.kernel_size) for c in convolutions] == [(32, (5,)), (64, (3,))]
    assert networks.frame_cnn().count_params() == 32 * 6 + 64 * (3 * 32 + 1) + 8 * (254 * 64 + 1)


@pytest.mark.parametrize("sr", [8000, 16000, 44100])
@pytest.mark.parametrize("count", [1, 4])
def test_windows_begin_where_notes_begin(sr, count):
    cut = timbre.windows(melody(count, sr), sr)
    assert cut.shape == (count, SR)
    for row in cut:
        assert np.abs(row[:1200]).max() > 0.5 * np.abs(row).max()


def test_windows_of_a_tone_without_attack_and_of_one_that_comes_late():
    steady = np.sin(2 * np.pi * 330 * np.arange(24000) / SR)
    assert timbre.windows(steady, SR).shape == (1, SR)
    late = np.r_[np.zeros(20000), note()]
    assert np.abs(timbre.windows(late, SR)[0, :1500]).max() > 0.1


def test_a_recording_at_any_level_in_stereo_or_at_another_rate_is_heard_alike():
    y = melody(3)
    said = timbre.classify(y, SR)
    for other, sr in ((0.05 * y, SR), (np.stack([y, y], axis=1), SR),
                      ((0.9 * y / np.abs(y).max() * 32767).astype(np.int16), SR),
                      (melody(3, 32000), 32000)):
        again = timbre.classify(other, sr)
        assert max(abs(again[name] - said[name]) for name in said) < 0.1


def test_what_is_said_is_a_ranking_of_families_that_sums_to_one():
    said = timbre.classify(melody(2), SR)
    assert set(said) == set(tones.FAMILIES) and sum(said.values()) == pytest.approx(1, abs=1e-5)
    assert list(said.values()) == sorted(said.values(), reverse=True)
    vectors = timbre.embed(melody(2), SR)
    assert vectors.shape == (2, 64) and vectors.dtype == np.float32 and np.isfinite(vectors).all()


def test_the_shipped_network_keeps_what_its_card_says():
    held = tones.tones("test", per_program=4)
    said = timbre.predict(timbre.load(), timbre.pictures(held.waveform)).argmax(axis=1)
    told = environment.stored("weights/timbre_cnn.json")["balanced_accuracy"]["test_programs"]
    assert timbre.balanced_accuracy(held.family, said) == pytest.approx(told, abs=0.12)


@pytest.mark.parametrize("y,sr,words",
                         [(np.zeros(SR), SR, "silent"), (np.full(SR, 1e-6), SR, "silent"),
                          (note(seconds=0.2), SR, "0.25 s at least"), (np.zeros(0), SR, "empty"),
                          (np.full(SR, np.nan), SR, "NaN"), (np.full(SR, np.inf), SR,
                                                             "NaN|infinity"),
                          (note(), 0, "sample rate"), (np.ones((100, 40, 2)), SR, "shape"),
                          (["a"] * SR, SR, "type|scale")])
def test_what_is_no_recording_is_refused_with_advice(y, sr, words):
    for function in (timbre.classify, timbre.embed):
        with np.errstate(invalid="ignore"), pytest.raises(ValueError, match=words):
            function(y, sr)


@pytest.fixture
def silent_tones(monkeypatch):
    """Put two silent notes of every program in place of the rendered ones."""
    program, family, fold = np.repeat(np.array(tones.PROGRAMS), 2, axis=0).T
    pitch = np.tile([50, 60], len(tones.PROGRAMS))
    found = tones.Tones(np.zeros((len(program), 1)), program, program.astype(str), family, fold,
                        pitch, pitch)
    monkeypatch.setattr(datasets, "tones", lambda: found)
    return found


def test_the_benchmark_holds_every_program_out_once_with_all_of_its_recordings(silent_tones,
    monkeypatch, tmp_path):
    asked = []

    def learns_by_heart(learn, held, seed):
        asked.append(held)
        known = set(silent_tones.program[learn].tolist())
        brackets = [bracket for family in tones.FAMILIES.values() for bracket in family]
        shared = [any(known & set(bracket) for bracket in brackets if p in bracket)
                  for p in silent_tones.program[held]]
        return np.where(np.array(shared)[:, None], np.eye(8)[silent_tones.family[held]],
                        np.full(8, 0.1) + np.eye(8)[0])

    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    monkeypatch.setitem(versions.VERSIONS, "by heart", learns_by_heart)
    said = versions.rotate("by heart", 2)
    assert said.shape == (2, len(silent_tones), 8) and len(asked) == 8
    assert (np.sum(asked, axis=0) == 2).all(), "every program once with each seed"
    assert (said.argmax(axis=2) == 0).all(), ("nothing of what was held out had been heard in "
                                              "training")


def test_intervals_of_the_benchmark_are_balanced_over_families(silent_tones):
    right, first = (np.eye(8)[silent_tones.family][None],
                    np.eye(8)[np.zeros(len(silent_tones), int)][None])
    for said, expected in ((right, 1), (first, 1 / 8)):
        for shares in versions.by_program(said, silent_tones):
            assert versions.interval(shares, draws=50) == pytest.approx((expected,) * 3)
    half = np.where(silent_tones.pitch[:, None] == 50, right, np.roll(right, 1, axis=2))
    notes, _ = versions.by_program(half, silent_tones)
    assert versions.interval(notes, draws=50) == pytest.approx((0.5,) * 3)
    middle, low, high = versions.interval(
        np.random.default_rng(0).random((3, len(tones.PROGRAMS))).round(), draws=200)
    assert low < middle < high
