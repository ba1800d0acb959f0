"""The benchmark figure: that it counts every note once, and that the shipped weights reach what their card says."""
import keras
import numpy as np
import pytest

from course_utils import datasets, evaluation, networks


@pytest.fixture(scope="module")
def small():
    keras.utils.set_random_seed(3)
    return networks.ChoraleLSTM(units=16, embedding=8)


def unsteered(inputs: dict) -> dict:
    hidden = {name: np.zeros_like(inputs[name]) for name in ("struck", "phrase", "key")}
    return {name: column[None] for name, column in (inputs | hidden).items()}


def test_padding_and_batching_change_nothing(small):
    pieces = [networks.chorale_inputs(score) for score in datasets.chorales("test")[:5]]
    nats, notes = evaluation.chorale_nll(small, pieces, batch=3)
    assert notes.tolist() == [4 * len(p["beat"]) for p in pieces]
    for piece, total in zip(pieces, nats, strict=True):
        assert total == pytest.approx(float(np.sum(networks.chorale_nll(small, unsteered(piece))[0])), rel=1e-4)


def test_the_benchmark_figure_uses_neither_onsets_nor_fermatas_nor_key(small):
    piece = networks.chorale_inputs(datasets.chorales("test")[0])
    stripped = piece | {name: np.zeros_like(piece[name]) for name in ("struck", "phrase", "key", "onsets")}
    assert evaluation.chorale_nll(small, [piece])[0] == pytest.approx(evaluation.chorale_nll(small, [stripped])[0])
    assert evaluation.chorale_nll(small, [piece], steered=True)[0] != pytest.approx(evaluation.chorale_nll(small, [piece])[0])


def test_a_network_that_knows_nothing_pays_for_every_note(small):
    nats, notes = evaluation.chorale_nll(small, [networks.chorale_inputs(s) for s in datasets.chorales("test")[:2]])
    assert nats.sum() / notes.sum() == pytest.approx(np.log(60), rel=0.1)


def test_shipped_weights_reach_their_card():
    card = networks.model_card("chorale_lstm")["nats_per_note"]
    pieces = [networks.chorale_inputs(score) for score in datasets.chorales("test")]
    nats, notes = evaluation.chorale_nll(networks.load_chorale_lstm(), pieces)
    assert nats.sum() / notes.sum() == pytest.approx(card["test"], abs=1e-4)
    assert card["test"] <= 0.40
