"""Distances between sets: equal to scipy, scikit-learn and slow loops, near 0 for two halves of one
cloud, and unbiased.
"""
import numpy as np
import pytest
import scipy.linalg
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.pairwise import polynomial_kernel
from sklearn.neighbors import NearestNeighbors

from course_utils.measuring import distances


def cloud(n, d=5, seed=0, shift=0.0, scale=1.0):
    return (scale * np.random.default_rng(seed).normal(size=(n, d)) @ np.diag(np.arange(1, d + 1))
            + shift)


@pytest.mark.parametrize("n,m,d", [(30, 20, 4), (50, 60, 12), (8, 9, 1)])
def test_frechet_distance_is_that_of_scipys_matrix_root(n, m, d):
    x, y = cloud(n, d, 1), cloud(m, d, 2, shift=0.3, scale=1.5)
    first, second = (np.atleast_2d(np.cov(s, rowvar=False)) for s in (x, y))
    root = scipy.linalg.sqrtm(first @ second).real
    expected = ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(first + second - 2 * root)
    assert distances.frechet_distance(x, y) == pytest.approx(expected, rel=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 40), st.integers(2, 40))
def test_frechet_distance_is_a_distance_even_where_points_are_few(seed, n, m):
    x, y = cloud(n, 6, seed), cloud(m, 6, seed + 1, shift=1)
    one, other = distances.frechet_distance(x, y), distances.frechet_distance(y, x)
    assert one == pytest.approx(other, rel=1e-4, abs=1e-6) and one > -1e-6
    assert distances.frechet_distance(x, x) == pytest.approx(0, abs=1e-4)
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(6, 6)))[0]
    assert distances.frechet_distance(x @ turn, y @ turn) == pytest.approx(one, rel=1e-4, abs=1e-6)


def test_many_sets_at_once_are_the_same_as_one_by_one():
    x, y = cloud(40), cloud(25, seed=1, shift=0.5)
    many = distances.resamples(y, draws=7)
    assert many.shape == (7, 25, 5)
    assert {tuple(row) for row in many.reshape(-1, 5)} <= {tuple(row) for row in y}
    for function in (distances.frechet_distance, distances.mmd, distances.precision_recall,
                     distances.density_coverage):
        assert np.allclose(np.array(function(x, many)).T,
                           [np.array(function(x, one)) for one in many])


def test_the_bias_falls_as_one_over_the_points_and_extrapolation_removes_it():
    raw, corrected = [], []
    for seed in range(12):
        x, y = (cloud(400, 10, 2 * seed) / np.arange(1, 11),
                cloud(80, 10, 2 * seed + 1) / np.arange(1, 11))
        raw.append(distances.frechet_distance(x, y))
        corrected.append(distances.frechet_infinity(x, y, draws=20))
    assert np.mean(raw) > 0.5 and abs(np.mean(corrected)) < 0.25 * np.mean(raw)
    curve = distances.frechet_curve(x, y, np.array([20, 40, 80]))
    assert curve[0] > curve[1] > curve[2]
    assert (curve[0] - curve[1]) / (curve[1] - curve[2]) == pytest.approx(2, rel=0.3)


def test_extrapolation_keeps_a_true_distance():
    x, y = cloud(4000, 3, 1) / np.arange(1, 4), cloud(4000, 3, 2) / np.arange(1, 4) + [2, 0, 0]
    assert distances.frechet_infinity(x, y, draws=10) == pytest.approx(4, rel=0.1)


def test_mmd_is_that_of_sklearns_kernel():
    x, y = cloud(12, 4, 1), cloud(9, 4, 2, shift=1)
    kernels = [polynomial_kernel(a, b, degree=3, gamma=1 / 4, coef0=1)
               for a, b in ((x, x), (y, y), (x, y))]
    own = [(k.sum() - np.trace(k)) / (len(k) * (len(k) - 1)) for k in kernels[:2]]
    assert distances.mmd(x, y) == pytest.approx(sum(own) - 2 * kernels[2].mean(), rel=1e-9)


def test_mmd_has_no_bias():
    values = [distances.mmd(*np.random.default_rng(seed).normal(size=(2, 10, 3)))
              for seed in range(300)]
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(300)
    assert distances.mmd(cloud(50), cloud(50, seed=1, shift=2)) > 10 * np.std(values)


def test_density_is_that_of_scipy():
    a, b = np.random.default_rng(0).gamma(2, 1, 60), np.random.default_rng(1).normal(3, 2, 40)
    places, p, q = distances.densities(a, b)
    assert np.abs(p - scipy.stats.gaussian_kde(a)(places)).max() < 1e-6
    assert np.abs(q - scipy.stats.gaussian_kde(b)(places)).max() < 1e-6
    overlap = np.trapezoid(np.minimum(scipy.stats.gaussian_kde(a)(places),
                                      scipy.stats.gaussian_kde(b)(places)), places)
    assert distances.overlap_area(a, b) == pytest.approx(overlap, abs=1e-6)


def test_overlap_and_divergence_at_their_ends():
    a = np.random.default_rng(0).normal(size=500)
    assert distances.overlap_area(a, a) == pytest.approx(1, abs=5e-3)
    assert distances.kl_divergence(a, a) == pytest.approx(0, abs=1e-9)
    assert distances.overlap_area(a, a + 100) < 1e-6 and distances.kl_divergence(a, a + 100) > 5
    # the true divergence is 1/2, which kernels cannot blur much
    b = np.random.default_rng(1).normal(1, 1, 500)
    assert distances.overlap_area(a, b) == pytest.approx(distances.overlap_area(b, a))
    assert distances.kl_divergence(a, b) == pytest.approx(0.5, abs=0.25)


def test_numbers_that_are_all_equal_have_a_density_too():
    same, other = np.full(10, 2.0), np.arange(10.0)
    assert 0 <= distances.overlap_area(same, other) < 0.5
    assert np.isfinite(distances.kl_divergence(same, other))
    assert np.isfinite(distances.overlap_area(same, same))


def test_total_variation_at_its_ends():
    p = np.array([[0.5, 0.5, 0], [1, 0, 0], [0, 0.25, 0.75]])
    assert distances.total_variation(p, p).tolist() == [0, 0, 0]
    assert distances.total_variation(p, np.array([0.5, 0, 0.5])).tolist() == [0.5, 0.5, 0.5]
    assert distances.total_variation(p[1], p[2]) == 1


def test_pairs():
    x, y = cloud(7), cloud(5, seed=1)
    assert np.allclose(distances.intra_distances(x), scipy.spatial.distance.pdist(x), atol=1e-6)
    assert np.allclose(distances.inter_distances(x, y), scipy.spatial.distance.cdist(x, y).ravel(),
                       atol=1e-6)


def test_precision_and_coverage_are_those_of_slow_loops():
    x, y, k = cloud(30, 3, 1), cloud(20, 3, 2, shift=1), 3
    radius = {id(s): NearestNeighbors(n_neighbors=k + 1).fit(s).kneighbors(s)[0][:, k]
              for s in (x, y)}

    def inside(point, s):
        return [np.linalg.norm(point - center) <= reach for center, reach in zip(s, radius[id(s)])]

    precision, recall = distances.precision_recall(x, y, k)
    assert precision == pytest.approx(np.mean([any(inside(p, x)) for p in y]))
    assert recall == pytest.approx(np.mean([any(inside(p, y)) for p in x]))
    density, coverage = distances.density_coverage(x, y, k)
    assert density == pytest.approx(sum(sum(inside(p, x)) for p in y) / (k * len(y)))
    assert coverage == pytest.approx(np.mean(np.any([inside(p, x) for p in y], axis=0)))


def test_collapse_costs_recall_and_scatter_costs_precision():
    x = cloud(200, 2)
    collapsed, scattered = x[:1] + 1e-3 * cloud(50, 2, 1), cloud(50, 2, 2, scale=5)
    precision, recall = distances.precision_recall(x, collapsed)
    assert precision > 0.9 and recall < 0.1 and distances.density_coverage(x, collapsed)[1] < 0.1
    assert distances.precision_recall(x, scattered)[0] < 0.5


def test_interval_is_centred_though_resamples_are_biased():
    x, y = cloud(200, 8, 1), cloud(40, 8, 2)
    value, replicates = (distances.frechet_distance(x, y),
                         distances.frechet_distance(x, distances.resamples(y)))
    low, high = distances.centred_interval(value, replicates)
    assert replicates.mean() > value and low < value < high


def test_an_interval_holds_its_value_even_if_replicates_are_lopsided():
    low, high = distances.centred_interval(0.0, np.r_[np.zeros(198), 1.0, 1.0])
    assert low <= 0 <= high


def test_ranks_are_shared_where_intervals_overlap():
    assert distances.ranks([(0, 1), (0.5, 2), (1.5, 3), (5, 6)]) == [1, 1, 2, 4]


def test_standardize_keeps_what_never_varies():
    x = np.array([[1.0, 5.0], [3.0, 5.0]])
    (a, b) = distances.standardize(x, np.array([[2.0, 6.0]]))
    assert np.allclose(a, [[-1, 0], [1, 0]]) and np.allclose(b, [[0, 1]])
