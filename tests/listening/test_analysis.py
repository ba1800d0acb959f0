"""Intervals hold the truth as often as they promise, tests agree with scipy, and figures show what
was found.
"""
import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from course_utils.listening import analysis, figures
from course_utils.listening.answer_log import Answer


def pair(code, trial, first, second, answer, kind="pick", role="test"):
    return Answer("room", "x0", code, trial, 9, kind, role, first, second, answer, 2, 900)


def rating(code, trial, sound, value, role="test"):
    return Answer("room", "x0", code, trial, 9, "rate", role, sound, "", str(value), 1, 900)


@given(st.integers(1, 300), st.data())
def test_exact_interval_is_scipys(trials, data):
    hits = data.draw(st.integers(0, trials))
    theirs = scipy.stats.binomtest(hits, trials).proportion_ci(0.95, method="exact")
    np.testing.assert_allclose(analysis.exact_interval(hits, trials), theirs, atol=1e-9)


@pytest.mark.parametrize("trials,p", [*itertools.product((5, 40, 200), (0.02, 0.3, 0.5, 0.97))])
def test_exact_interval_holds_the_truth_at_least_as_often_as_promised(trials, p):
    hits = np.arange(trials + 1)
    for level in (0.8, 0.95):
        low, high = analysis.exact_interval(hits, trials, level)
        assert scipy.stats.binom.pmf(hits, trials, p)[(low <= p) & (p <= high)].sum() >= level


def test_wins_are_counted_for_each_listener_and_side():
    answers = [pair("PBB", 1, "Bach/0", "LSTM/1", "A"), pair("PAA", 1, "LSTM/2", "Bach/0", "A"),
               pair("PAA", 2, "Bach/1", "LSTM/0", "A"),
               pair("PAA", 3, "Bach/1", "LSTM/0", "A", role="repeat"),
               pair("PAA", 4, "Bach/1", "LSTM/0", "A", role="practice"),
               pair("PAA", 5, "Bach/1", "LSTM/0", "A", kind="prefer"),
               pair("PCC", 1, "Bach/1", "random/0", "A")]
    hits, trials = analysis.wins(answers, "pick", "Bach", "LSTM")
    assert hits.tolist() == [1, 1] and trials.tolist() == [2, 1]
    assert analysis.wins(answers, "pick", "LSTM", "Bach")[0].tolist() == [1, 0]
    assert list(analysis.recognised(answers, "Bach")) == ["LSTM", "random"]
    assert analysis.recognised([], "Bach") == {}
    with pytest.raises(ValueError, match="Nobody compared 'Bach' with 'Liszt'"):
        analysis.wins(answers, "pick", "Bach", "Liszt")


@pytest.mark.parametrize("listeners,trials,p,spread",
                         [(8, 6, 0.7, 0.15), (20, 6, 0.9, 0.08), (12, 6, 0.6, 0.25),
                          (12, 6, 0.6, 1e-3)])
def test_listener_interval_holds_the_truth_where_counting_trials_fails(listeners, trials, p,
                                                                       spread):
    rng, size = np.random.default_rng(0), p * (1 - p) / spread**2 - 1
    hits = rng.binomial(trials, rng.beta(p * size, (1 - p) * size, (600, listeners)))
    ends = np.array([analysis.listener_interval(room, np.full(listeners, trials)) for room in hits])
    careful = np.mean((ends[:, 0] <= p) & (p <= ends[:, 1]))
    low, high = analysis.exact_interval(hits.sum(axis=1), listeners * trials)
    naive = np.mean((low <= p) & (p <= high))
    assert careful >= 0.93 and (naive < 0.9 or spread < 0.2)


def test_listener_interval_is_never_narrower_than_the_exact_one_and_knows_one_listener():
    hits, trials = np.array([3, 3, 3]), np.array([6, 6, 6])
    assert analysis.listener_interval(hits, trials) == pytest.approx(analysis.exact_interval(9, 18))
    assert analysis.listener_interval(hits[:1], trials[:1]) == pytest.approx(
        analysis.exact_interval(3, 6))
    low, high = analysis.listener_interval(np.array([0, 6, 6, 6]), np.full(4, 6))
    assert 0 <= low < analysis.exact_interval(18, 24)[0] and high == 1.0


def test_ratings_are_laid_out_by_listener_and_item():
    answers = [rating("PBB", 1, "Bach/1", 5), rating("PAA", 1, "Bach/0", 4),
               rating("PAA", 2, "LSTM/2", 2), rating("PAA", 3, "Bach/0", 3),
               rating("PAA", 4, "Bach/0", 1, role="repeat"),
               rating("PAA", 5, "random/0", 1, role="practice")]
    tables = analysis.ratings(answers)
    assert sorted(tables) == ["Bach", "LSTM"]
    np.testing.assert_array_equal(tables["Bach"], [[3.5, np.nan, np.nan], [np.nan, 5, np.nan]])
    np.testing.assert_array_equal(tables["LSTM"], [[np.nan, np.nan, 2], [np.nan] * 3])
    with pytest.raises(ValueError, match="no ratings"):
        analysis.ratings([])


@pytest.mark.parametrize("listeners,items,of_listeners,of_items",
                         [(10, 4, 0.5, 0.3), (20, 6, 0.5, 0.5), (20, 6, 0.2, 0.0)])
def test_mean_opinion_interval_holds_the_truth_over_new_listeners_and_items(listeners, items,
                                                                            of_listeners, of_items):
    rng, held, rooms = np.random.default_rng(0), 0, 200
    for _ in range(rooms):
        table = (3 + of_listeners * rng.normal(size=(listeners, 1)) + of_items
                  * rng.normal(size=(1, items)) + rng.normal(size=(listeners, items)))
        for row in table:
            row[rng.permutation(items)[2:]] = np.nan
        mean, low, high = analysis.mean_opinion(table, draws=300)
        assert low <= mean <= high
        held += low <= 3 <= high
    assert held / rooms >= 0.92


def test_mean_opinion_of_equal_ratings_is_certain():
    assert analysis.mean_opinion(np.full((5, 3), 4.0)) == (4.0, 4.0, 4.0)


@given(st.lists(st.integers(-4, 4), min_size=2, max_size=9))
def test_flip_test_of_few_listeners_is_scipys_exact_one(differences):
    d = np.array(differences, float)
    theirs = scipy.stats.permutation_test((d,), np.mean, permutation_type="samples",
                                          n_resamples=np.inf).pvalue
    assert analysis.flip_test(d) == pytest.approx(theirs)


def test_flip_test_of_many_listeners_is_near_the_t_test_and_never_zero():
    d = np.random.default_rng(0).normal(0.35, 1, 40)
    assert analysis.flip_test(d) == pytest.approx(scipy.stats.ttest_1samp(d, 0).pvalue, abs=0.01)
    assert 0 < analysis.flip_test(d + 10) < 1e-3 and analysis.flip_test(d) == analysis.flip_test(-d)


@pytest.mark.slow
def test_flip_test_raises_false_alarms_no_more_often_than_promised():
    rng = np.random.default_rng(0)
    alarms = [analysis.flip_test(rng.normal(0, rng.uniform(0.2, 2, 12))) < 0.05 for _ in range(400)]
    assert np.mean(alarms) < 0.08


def test_holm_raises_the_smallest_most_and_keeps_the_order():
    np.testing.assert_allclose(analysis.holm([0.02, 0.01, 0.04, 0.9]), [0.06, 0.04, 0.08, 0.9])
    np.testing.assert_allclose(analysis.holm([0.6, 0.5]), [1, 1])
    assert analysis.holm([0.03]).tolist() == [0.03]


def test_consistency_compares_repeats_with_what_they_repeat():
    answers = [pair("PAA", 1, "Bach/0", "LSTM/1", "A"),
               pair("PAA", 2, "LSTM/1", "Bach/0", "B", role="repeat"),
               pair("PAA", 3, "Bach/2", "LSTM/2", "A"),
               pair("PAA", 4, "LSTM/2", "Bach/2", "A", role="repeat"),
               pair("PAA", 5, "LSTM/1", "Bach/0", "A", kind="prefer"),
               rating("PAA", 6, "Bach/0", 5), rating("PAA", 7, "Bach/0", 2, role="repeat"),
               rating("PBB", 1, "Bach/0", 2)]
    found = analysis.consistency(answers)
    assert found["PAA"] == {"pairs": 2, "same": 1, "gap": 3.0}
    assert found["PBB"]["pairs"] == 0 and np.isnan(found["PBB"]["gap"])


def test_who_does_not_put_the_reference_above_the_anchor_is_named():
    answers = [rating("PAA", 1, "Bach/0", 5), rating("PAA", 2, "random/0", 1),
               rating("PBB", 1, "Bach/0", 3), rating("PBB", 2, "random/1", 3),
               rating("PCC", 1, "Bach/0", 3), rating("PAA", 3, "random/1", 5)]
    assert analysis.inattentive(answers, "Bach", "random") == ["PBB"]


@pytest.mark.parametrize("trials,p", [(6, 1.0), (12, 0.9), (60, 0.65), (61, 0.65)])
def test_power_is_the_chance_that_the_exact_interval_lies_above_chance(trials, p):
    hits = np.arange(trials + 1)
    above = analysis.exact_interval(hits, trials)[0] > 0.5
    assert analysis.power(trials, p) == pytest.approx(
        scipy.stats.binom.pmf(hits, trials, p)[above].sum())


@pytest.mark.parametrize("p,chance", [(0.6, 0.5), (0.75, 0.5), (0.99, 0.5), (0.5, 1 / 3)])
def test_trials_needed_is_where_the_power_stays_above(p, chance):
    needed = analysis.trials_needed(p, chance)
    power = analysis.power(np.arange(1, 4 * needed), p, chance)
    assert power[needed - 2] < 0.8 and (power[needed - 1:] >= 0.8).all()


@pytest.mark.slow
def test_power_agrees_with_simulated_rooms():
    found = analysis.simulated_detections(10, 6, 0.7, 0.0, rooms=4000)
    assert found["trials"] == pytest.approx(analysis.power(60, 0.7), abs=0.02)


@pytest.mark.slow
def test_listeners_who_differ_deceive_who_counts_trials():
    found = analysis.simulated_detections(12, 6, 0.5, 0.25)
    assert found["trials"] > 0.06 and found["listeners"] < 0.035


@pytest.mark.parametrize("p", [0.5, 0.4, 1.1, 0.501])
def test_effects_that_no_number_of_trials_finds_are_refused(p):
    with pytest.raises(ValueError, match=r"above chance|near to chance"):
        analysis.trials_needed(p)


@pytest.mark.parametrize("p,spread", [(0.5, 0.5), (0.9, 0.31), (1.0, 0.1), (0.5, -1.0)])
def test_impossible_spreads_are_refused(p, spread):
    with pytest.raises(ValueError, match="cannot spread|Proportions"):
        analysis.simulated_detections(5, 5, p, spread)


def test_figures_show_estimates_ends_and_chance():
    ax = figures.estimates({"Bach": (0.8, 0.7, 0.95), "LSTM": (0.5, 0.3, 0.6)}, "share", chance=0.5)
    (line,) = ax.containers[0].lines[2]
    np.testing.assert_allclose([segment[:, 0] for segment in line.get_segments()],
                               [[0.7, 0.95], [0.3, 0.6]])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["Bach", "LSTM"]
    assert ax.yaxis_inverted()
    assert any(np.array_equal(drawn.get_xdata(), [0.5, 0.5]) for drawn in ax.lines)
    curves = figures.power_curves((0.6, 0.9), most=30).lines
    assert curves[1].get_ydata()[-1] == pytest.approx(analysis.power(30, 0.9)) and len(curves) == 3
    plt.close("all")
