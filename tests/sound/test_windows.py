"""Windows of fixed length, joining them again, and splits that keep groups apart."""
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.sound import windows


@st.composite
def framings(draw):
    frame_length = draw(st.integers(1, 50))
    return draw(st.integers(1, 300)), frame_length, draw(st.integers(1, frame_length))


@given(framings())
def test_frames_cover_every_sample_and_add_up_to_the_sound(sizes):
    samples, frame_length, hop_length = sizes
    y = np.random.default_rng(samples).uniform(-1, 1, samples).astype(np.float32)
    frames = windows.frame(y, frame_length, hop_length)
    assert frames.dtype == np.float32
    assert (len(frames)
            - 2) * hop_length + frame_length < samples or len(frames) == 1, ("a frame too many")
    padded = np.append(y, np.zeros(frame_length + hop_length, np.float32))
    for number, row in enumerate(frames):
        np.testing.assert_array_equal(row,
                                      padded[number * hop_length:number * hop_length
                                             + frame_length])
    np.testing.assert_allclose(windows.overlap_add(frames, hop_length, samples), y, atol=1e-6)


def test_the_usual_frames_do_not_overlap_and_the_last_is_padded():
    frames = windows.frame(np.ones(2500))
    assert frames.shape == (3, 1024)
    assert frames.sum() == 2500
    assert not frames[2, 2500 - 2048:].any()


def test_frames_are_a_copy():
    y = np.zeros(10, np.float32)
    windows.frame(y, 4, 2)[:] = 1
    assert not y.any()


def test_windows_that_disagree_are_faded():
    joined = windows.overlap_add(np.stack([np.zeros(100), np.ones(100)]), hop_length=50)
    assert np.all(joined[:50] == 0)
    assert np.all(joined[100:] == 1)
    assert np.all(np.diff(joined) >= 0)
    assert np.diff(joined).max() < 0.05


@pytest.mark.parametrize(("use", "advice"), [
    (lambda: windows.frame([]), "empty"),
    (lambda: windows.frame(np.zeros((10, 2))), "to_mono"),
    (lambda: windows.frame([0.0, np.nan]), "NaN"),
    (lambda: windows.frame(np.zeros(10), 0), "at least 1"),
    (lambda: windows.frame(np.zeros(10), -4), "at least 1"),
    (lambda: windows.frame(np.zeros(10), 4, 5), "no longer than the frame"),
    (lambda: windows.frame(np.zeros(10), 4, 0), "at least 1"),
    (lambda: windows.frame(np.zeros(10), 4.0), "whole"),
    (lambda: windows.frame(np.zeros(10), 2**40), "frame_length"),
    (lambda: windows.overlap_add(np.zeros(10)), "shape"),
    (lambda: windows.overlap_add(np.zeros((0, 5))), "empty"),
    (lambda: windows.overlap_add(np.zeros((2, 5)), 6), "no longer"),
    (lambda: windows.overlap_add(np.zeros((2, 5)), 5, 11), "make 10 samples"),
    (lambda: windows.overlap_add(np.full((2, 5), np.inf)), "infinity"),
    (lambda: windows.split_by_group([]), "one per example|one name"),
    (lambda: windows.split_by_group(["a", "a", "b"]), "Collect more"),
    (lambda: windows.split_by_group([["a", "b"], ["c", "d"]]), "one name"),
    (lambda: windows.split_by_group(["a", "b", None]), "one type"),
    (lambda: windows.split_by_group(["a", "b", "c"], (0.5, 0.5)), "three numbers"),
    (lambda: windows.split_by_group(["a", "b", "c"], (0.8, 0.3, -0.1)), "three numbers"),
    (lambda: windows.split_by_group(["a", "b", "c"], (80, 10, 10)), "three numbers"),
    (lambda: windows.split_by_group(["a", "b", "c"], "most"), "three numbers"),
])
def test_bad_input_raises_one_clear_error(use, advice):
    with pytest.raises(ValueError, match=advice) as caught:
        use()
    assert "course_utils" in str(caught.traceback[-1].path)


FRACTIONS = st.sampled_from([(0.8, 0.1, 0.1), (0.6, 0.2, 0.2), (0.5, 0.0, 0.5), (1.0, 0.0, 0.0),
                             (0.1, 0.1, 0.8)])


@given(st.lists(st.integers(0, 12), min_size=3, max_size=200).filter(lambda g: len(set(g)) >= 3),
       FRACTIONS, st.integers(0, 5))
def test_groups_stay_whole_and_every_example_is_used_once(groups, fractions, seed):
    parts = windows.split_by_group(groups, fractions, seed)
    assert sorted(np.concatenate(parts)) == list(range(len(groups)))
    names = [{groups[i] for i in part} for part in parts]
    assert sum(map(len, names)) == len(set(groups))
    assert all((len(part) > 0) == (fraction > 0)
               for part, fraction in zip(parts, fractions, strict=True))


def test_groups_may_have_names_and_the_shares_come_near():
    groups = np.repeat([f"piece {i}" for i in range(50)], 20)
    train, valid, test = windows.split_by_group(groups)
    assert (len(train), len(valid), len(test)) == (800, 100, 100)


def test_unequal_groups_come_within_one_group_of_the_shares():
    sizes = np.random.default_rng(0).integers(1, 40, 60)
    parts = windows.split_by_group(np.repeat(np.arange(60), sizes), (0.7, 0.2, 0.1))
    for part, fraction in zip(parts, (0.7, 0.2, 0.1), strict=True):
        assert abs(len(part) - fraction * sizes.sum()) <= sizes.max()


def test_the_seed_decides():
    groups = np.repeat(np.arange(20), 5)
    first, again, other = (windows.split_by_group(groups, seed=seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[2], other[2])
