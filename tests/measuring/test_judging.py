"""Calibration and verdict: the rule rejects what it should, ranks are shared where intervals
overlap, what is shipped holds.
"""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import datasets, environment, scores
from course_utils.measuring import (
    counterpoint,
    judging,
    judging_plots,
    measures,
    musical_statistics,
)

GOOD = {"other Bach": (1, 0.8, 1.2), "half as many": (1.1, 0.7, 1.5), "transposed": (1, 0.8, 1.2),
        "Markov": (5, 4, 6), "shuffled": (3, 2, 4), "noise": (9, 8, 10)}


@pytest.mark.parametrize("change,why",
                         [({}, ""), ({"transposed": (2, 1.7, 2.2)}, "moves when transposed"),
                          ({"half as many": (1.3, 0.7, 2)}, "depends on the number"),
                          ({"Markov": (1.1, 0.9, 1.3)}, "takes for Bach: Markov"),
                          ({"shuffled": (1, 0.9, 1.1), "noise": (1, 0, 2)}, "shuffled, noise"),
                          ({"Markov": (-9, -9.5, -8)}, "prefers noise")])
def test_the_rule(change, why):
    told = judging.verdict_on(GOOD | change)
    assert why in told and bool(told) == bool(why)
    assert judging.trusted({"m": GOOD | change}) == ([] if why else ["m"])


def test_calibration_sets_are_what_they_say():
    bach = measures.excerpts(datasets.chorales("valid"))[:6]
    sets = judging.calibration_sets(bach, bach)
    for before, after in zip(bach, sets["shuffled"]):
        assert sorted(before.pitches.tolist()) == sorted(after.pitches.tolist())
        assert not np.array_equal(before.pitches, after.pitches)
        assert counterpoint.dissonance_rate(before) == pytest.approx(
            counterpoint.dissonance_rate(after))
    for before, after in zip(bach, sets["transposed"]):
        assert len(np.unique(after.pitches.astype(int) - before.pitches)) <= 2
        scores.to_tokens(after.pitches)
    assert len(sets["half as many"]) == 3
    assert np.array([p.pitches for p in sets["noise"]]).max() == scores.HIGHEST
    again = judging.calibration_sets(bach, bach)
    assert all(np.array_equal(a.pitches, b.pitches) for name in sets
               for a, b in zip(sets[name], again[name]))


@settings(max_examples=50, deadline=None)
@given(st.floats(-5, 5), st.floats(0, 3), st.floats(0, 3), st.floats(-5, 5))
def test_a_gap_lies_in_its_interval(value, below, above, level):
    low, high = judging.gap_interval((value, value - below, value + above), level)
    assert 0 <= low <= abs(value - level) + 1e-9 and abs(value - level) <= high + 1e-9


def test_ranks_are_by_the_gap_to_bach_and_shared():
    table = {"Bach": {"p": (0.8, 0.7, 0.9)}, "safe": {"p": (1.0, 0.95, 1.0)},
             "near": {"p": (0.7, 0.6, 0.8)}, "far": {"p": (0.1, 0.0, 0.2)}}
    ranks = judging.rank_models(table, ["p"], "Bach")
    assert [ranks[name]["p"] for name in table] == [1, 2, 1, 4]
    assert list(judging.mean_ranks(ranks))[-1] == "far"


def test_packing_keeps_pitches_and_struck_notes():
    pieces = {name: measures.excerpts(datasets.chorales("test")[:5], 64) for name in ("a", "b c")}
    back = judging.unpack(judging.pack(pieces))
    assert list(back) == ["a", "b c"]
    for name, same in back.items():
        for x, y in zip(pieces[name], same, strict=True):
            assert np.array_equal(x.pitches, y.pitches) and np.array_equal(x.onsets, y.onsets)


@pytest.mark.slow
def test_the_shipped_samples_and_tables_belong_together():
    samples, told = judging.samples(), environment.stored("verdict.json")
    assert {len(pieces) for pieces in samples.values()} == {77}
    assert list(told["verdict"])[1:] == list(samples)
    assert {name for name in told["calibration"]
            if name not in told["failed"]} == set(told["ranks"]["Markov"])
    train = datasets.chorales("train")
    unit = musical_statistics.table(measures.excerpts(train))
    known = measures.describe(measures.excerpts(train), train, unit)
    judged = measures.describe(samples["LSTM at 0.9"], train, unit)
    for name in ("precision", "Fréchet distance", "parallels a bar", "longest copy, quarters"):
        assert measures.MEASURES[name](known, judged) == pytest.approx(
            told["verdict"]["LSTM at 0.9"][name], rel=1e-3, abs=1e-3)


def test_the_stored_verdict_says_what_the_course_says():
    told = environment.stored("verdict.json")
    assert {"squared error", "pitch classes", "chord types",
            "Fréchet distance"} <= set(told["failed"])
    assert {"Fréchet, extrapolated", "kernel MMD", "precision", "recall",
            "classifier accuracy"} <= set(told["ranks"]["Markov"])
    means = judging.mean_ranks(told["ranks"])
    assert list(means)[0] == "Bach, held out"
    assert means["LSTM at 0.9"] < means["small LSTM"] < means["Markov"] < means["unigram"] < means[
        "random"]


def test_pictures_hold_what_they_were_given():
    import matplotlib.pyplot as plt

    told = environment.stored("verdict.json")
    ax = judging_plots.calibration_map(told["calibration"], ["kernel MMD"])
    labels = [text.get_text() for text in ax.get_yticklabels()]
    assert "kernel MMD ✓" in labels and "chord types ✗" in labels
    ax = judging_plots.rank_lines(told["ranks"])
    assert len(ax.lines) == len(told["ranks"])
    plt.close("all")
    page = judging_plots.players({"a <b>": (["1", "2"], np.sin(np.arange(8000) / 10))}, ["x", "y"],
                                 16000).data
    assert page.count("<audio") == 1 and "a &lt;b&gt;" in page
