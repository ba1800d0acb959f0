"""Measures of sets: Bach passes for Bach, what must be worse is worse, and intervals hold their
value.
"""
import numpy as np
import pytest

from course_utils import datasets, scores
from course_utils.measuring import judging, measures, memorisation, musical_statistics

TRAIN = datasets.chorales("train")
REFERENCE = measures.excerpts(TRAIN)
UNIT = musical_statistics.table(REFERENCE)


@pytest.fixture(scope="module")
def known():
    return measures.describe(REFERENCE, TRAIN, UNIT)


@pytest.fixture(scope="module")
def rows(known):
    rng, bach = np.random.default_rng(0), measures.excerpts(datasets.chorales("test"))
    sets = {"Bach": bach, "shuffled": [judging.shuffle_quarters(score, rng) for score in bach],
            "copies": [judging.transpose_somewhere(score, rng) for score in REFERENCE[::3]]}
    return {name: measures.measure(known, measures.describe(pieces, TRAIN, UNIT))
            for name, pieces in sets.items()}


def test_excerpts_begin_with_a_whole_bar_and_have_one_length():
    assert {len(piece) for piece in REFERENCE} == {128} and len(REFERENCE) > 200
    begins = [piece.beat[0] for piece in REFERENCE]
    assert begins.count(0) / len(begins) > 0.9
    short = scores.from_grid(np.full((40, 4), 60), pickup=4)
    assert measures.excerpts([short]) == [] and len(measures.excerpts([short], 40)[0]) == 40
    assert measures.excerpts([short], 32)[0].beat[0] == 0


def test_the_statistics_are_in_units_of_the_reference(known):
    assert np.allclose(known.statistics.mean(axis=0), 0)
    assert np.allclose(known.statistics.std(axis=0), 1)
    plain = measures.describe(REFERENCE[:5], TRAIN)
    assert np.allclose(plain.statistics, UNIT[:5])


@pytest.mark.slow
def test_every_interval_is_in_order_and_finite(rows):
    for row in rows.values():
        assert set(row) == set(measures.MEASURES)
        for name, (value, low, high) in row.items():
            assert np.isfinite(
                [value, low, high]).all() and low <= value + 1e-9 and value <= high + 1e-9, (name)


def test_held_out_bach_passes_for_bach_and_shuffled_bach_does_not(rows):
    bach, shuffled = rows["Bach"], rows["shuffled"]
    assert bach["Fréchet, extrapolated"][1] < 0.5 < 5 < shuffled["Fréchet, extrapolated"][1]
    assert bach["kernel MMD"][1] < 0 < 1 < shuffled["kernel MMD"][1]
    assert bach["classifier accuracy"][1] < 0.5 < 0.9 < shuffled["classifier accuracy"][0]
    assert bach["precision"][0] > 0.7 > 0.4 > shuffled["precision"][0]
    assert bach["overlap of distances"][0] > 0.95 > shuffled["overlap of distances"][0]
    assert bach["chord types"] == pytest.approx(shuffled["chord types"])


def test_copies_fool_all_but_the_longest_copy(rows):
    bach, copies = rows["Bach"], rows["copies"]
    assert copies["Fréchet, extrapolated"][0] < 0.5 and copies["precision"][0] == 1
    assert copies["longest copy, quarters"][0] > 25 > 8 > bach["longest copy, quarters"][0]


def test_the_interval_of_a_distance_shrinks_with_more_points():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(300, 3)), rng.normal(1, 1, size=(200, 3))
    widths = [high - low for _, low, high in (measures.frechet(x, y[:n]) for n in (25, 200))]
    assert widths[0] > 2 * widths[1]


def test_the_classifier_never_judges_what_it_learnt_from():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 50)), rng.normal(size=(40, 50))
    right = measures.told_apart(x, y)
    # 50 features of 80 points: learnt by heart, it would be 1
    assert right.shape == (80,) and 0.3 < right.mean() < 0.7
    assert measures.told_apart(x, y + 3).mean() > 0.95


@pytest.mark.parametrize("pieces", [[], REFERENCE[:1],
                                    [*REFERENCE[:2], scores.from_grid(np.full((64, 4), 60))],
                                    [scores.from_grid(np.full((64, 3), 60))] * 2])
def test_sets_that_cannot_be_measured(pieces):
    with pytest.raises(ValueError, match="at least two pieces of four voices"):
        measures.describe(pieces, TRAIN)


def test_copied_is_told_in_quarters(known):
    assert np.allclose(known.copied[:3], memorisation.longest_copies(REFERENCE[:3], TRAIN) / 4)
