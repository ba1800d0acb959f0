"""The benchmark figure: that it counts every note once, and that the shipped weights reach what
their card says.
"""
import keras
import numpy as np
import pytest

from course_utils import datasets, environment
from course_utils.lstm import chorale_lstm, evaluation


@pytest.fixture(scope="module")
def small():
    keras.utils.set_random_seed(3)
    return chorale_lstm.ChoraleLSTM(units=16, embedding=8)


@pytest.fixture(scope="module")
def shipped():
    return chorale_lstm.load()


def unsteered(inputs: dict) -> dict:
    hidden = {name: np.zeros_like(inputs[name]) for name in ("struck", "phrase", "key")}
    return {name: column[None] for name, column in (inputs | hidden).items()}


def test_padding_and_batching_change_nothing(small):
    pieces = [chorale_lstm.chorale_inputs(score) for score in datasets.chorales("test")[:5]]
    together = evaluation.chorale_nats(small, pieces, batch=3, transpositions=(0,))
    assert [nats.shape for nats in together] == [(len(p["beat"]), 4) for p in pieces]
    for piece, nats in zip(pieces, together, strict=True):
        assert np.abs(nats - chorale_lstm.chorale_nll(small, unsteered(piece))[0][0]).max() < 1e-3


def test_the_benchmark_figure_uses_neither_onsets_nor_fermatas_nor_key(small):
    piece = chorale_lstm.chorale_inputs(datasets.chorales("test")[0])
    stripped = (piece | {name: np.zeros_like(piece[name])
                         for name in ("struck", "phrase", "key", "onsets")})
    plain, bare = (evaluation.chorale_nats(small, [p])[0] for p in (piece, stripped))
    assert np.allclose(plain, bare, atol=1e-4)
    assert not np.allclose(evaluation.chorale_nats(small, [piece], steered=True)[0], plain,
                           atol=1e-2)


def test_a_network_that_knows_nothing_pays_for_every_note(small):
    nats = evaluation.chorale_nats(small,
                                   [chorale_lstm.chorale_inputs(s)
                                    for s in datasets.chorales("test")[:2]])
    assert evaluation.nats_per_cell(nats) == pytest.approx(np.log(60), rel=0.1)


def test_nats_per_cell_weighs_long_pieces_more():
    assert evaluation.nats_per_cell([np.ones((1, 4)), np.full((3, 4), 2.0)]) == pytest.approx(7 / 4)


def test_shipped_weights_reach_their_card(shipped):
    card = environment.stored("weights/chorale_lstm.json")["nats_per_cell"]
    nats = evaluation.chorale_nats(shipped,
                                   [chorale_lstm.chorale_inputs(score)
                                    for score in datasets.chorales("test")])
    assert evaluation.nats_per_cell(nats) == pytest.approx(card["test"], abs=1e-4)
    assert card["test"] <= 0.30


def test_a_bare_grid_costs_hardly_more_than_one_whose_metre_is_known(shipped):
    scores = [score for score in datasets.chorales("test") if len(score) < 200][:4]
    known = [nats.mean() for nats in evaluation.chorale_nats(shipped,
                                                             [chorale_lstm.chorale_inputs(s)
                                                              for s in scores])]
    bare = [evaluation.chorale_nll(score.pitches, shipped) for score in scores]
    assert np.abs(np.array(bare) - known).max() < 0.01


def test_noise_costs_much_more_than_bach(shipped):
    score = datasets.chorales("test")[0]
    noise = np.random.default_rng(0).permutation(score.pitches.ravel()).reshape(score.pitches.shape)
    assert evaluation.chorale_nll(noise, shipped) > 10 * evaluation.chorale_nll(score.pitches,
        shipped)


def test_one_step_and_a_rest_can_be_scored(shipped):
    assert 0 < evaluation.chorale_nll(np.array([[67, 62, 59, 43]]), shipped) < 5
    assert np.isfinite(evaluation.chorale_nll(np.full((8, 4), -1), shipped))


def test_the_metres_are_a_distribution():
    known, another = evaluation.metres()
    assert sum(known.values()) + another == pytest.approx(1)
    assert max(known, key=known.get) == (16, 12)


@pytest.mark.parametrize("grid", [np.zeros((4, 3), int), np.zeros(4, int), np.zeros((0, 4), int),
                                  np.full((4, 4), 60.5), np.full((4, 4), 20), np.full((4, 4), 100),
                                  np.full((4, 4), np.nan)])
def test_grids_that_do_not_fit(shipped, grid):
    with pytest.raises(ValueError, match="table|Pitches run"):
        evaluation.chorale_nll(grid, shipped)
