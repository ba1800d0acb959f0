"""The bootstrap over pieces: it holds the ratio, shrinks with more pieces, and treats pieces as
wholes.
"""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.measuring.bootstrap import confidence_interval


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0.1, 100), st.integers(1, 50)), min_size=2, max_size=20))
def test_it_lies_between_the_extreme_pieces(pieces):
    totals, counts = (np.array(column, float) for column in zip(*pieces))
    low, high = confidence_interval(totals, counts)
    each = totals / counts
    assert each.min() - 1e-9 <= low <= high <= each.max() + 1e-9


@settings(max_examples=20, deadline=None)
@given(st.floats(0.1, 10), st.integers(1, 20))
def test_equal_pieces_leave_no_doubt(value, pieces):
    assert confidence_interval(np.full(pieces, value),
                               np.ones(pieces)) == pytest.approx((value, value))


def test_it_has_the_width_that_theory_gives_a_mean():
    x = np.random.default_rng(1).normal(5, 2, 400)
    low, high = confidence_interval(x, np.ones(400))
    assert high - low == pytest.approx(2 * 1.96 * 2 / 20, rel=0.15)
    assert low < x.mean() < high


def test_a_long_piece_weighs_more_than_a_short_one():
    totals, counts = np.array([1.0, 200.0]), np.array([1, 100])
    low, high = confidence_interval(totals, counts)
    assert (low, high) == pytest.approx((1, 2))
    assert confidence_interval(totals, counts) == confidence_interval(totals, counts)
