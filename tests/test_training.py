"""Training: batches that repeat, and a fit that an interruption does not change."""
import keras
import numpy as np
import pytest
import tensorflow as tf

from course_utils import datasets, training
from course_utils.lstm import chorale_lstm
from course_utils.scores import transpose


@pytest.fixture(scope="module")
def pieces():
    return [chorale_lstm.chorale_inputs(score) for score in datasets.chorales("valid")[:6]]


def test_batches_repeat_by_number_and_differ_between_numbers(pieces):
    make, again = (chorale_lstm.chorale_windows(pieces, 4, 32, seed=1) for _ in range(2))
    assert all((make(3)[name] == again(3)[name]).all() for name in chorale_lstm.INPUTS)
    assert any((make(3)["tokens"] != make(4)["tokens"]).ravel())
    assert make(0)["tokens"].shape == (4, 32, 4) and make(0)["beat"].shape == (4, 32)


def test_windows_are_transposed_pieces_with_their_keys(pieces):
    score = datasets.chorales("valid")[0]
    versions = {n: chorale_lstm.chorale_inputs(transpose(score, n))
                for n in chorale_lstm.TRANSPOSITIONS}
    make = chorale_lstm.chorale_windows(pieces[:1], 16, 32, seed=2)
    seen = set()
    for number in range(6):
        batch = make(number)
        for row in range(16):
            found = [(n, start) for n, v in versions.items() for start in range(len(score) - 31)
                     if (v["tokens"][start : start + 32] == batch["tokens"][row]).all()]
            assert found
            assert any((versions[n]["previous"][s : s + 32] == batch["previous"][row]).all()
                       for n, s in found)
            keys = {versions[n]["key"][0] for n, s in found} | {0}
            assert set(batch["key"][row].tolist()) <= keys
            seen |= {n for n, _ in found}
    assert len(seen) >= 10


def test_what_may_be_unknown_is_hidden_about_as_often_as_said(pieces):
    make = chorale_lstm.chorale_windows(pieces, 200, 32, seed=0)
    hidden = {name: (make(0)[name].reshape(200, -1) == 0).all(axis=1).mean()
              for name in ("struck", "key", "beat")}
    assert 0.35 < hidden["struck"] < 0.65 and 0.35 < hidden["key"] < 0.65
    assert 0.02 < hidden["beat"] < 0.2
    assert (make(0)["tokens"] != 0).mean() > 0.9


def test_windows_longer_than_a_piece(pieces):
    with pytest.raises(ValueError, match="shorter window"):
        chorale_lstm.chorale_windows(pieces, 4, 5000, seed=1)


class Interrupted(Exception):
    pass


def fit(folder, stop_at=None):
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Input((3,)), keras.layers.Dense(4, "tanh"), keras.layers.Dropout(0.3),
              keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 3)).astype(np.float32)

    def batches(number):
        if number == stop_at:
            raise Interrupted
        rows = np.random.default_rng(number).choice(40, 8)
        return {"x": x[rows], "y": x[rows].sum(axis=1, keepdims=True)}

    def loss(model, batch):
        return tf.reduce_mean((model(batch["x"], training=True) - batch["y"]) ** 2)

    def evaluate():
        return float(np.mean((model(x).numpy() - x.sum(axis=1, keepdims=True)) ** 2))

    history = training.train(model, loss, batches, 40, folder, learning_rate=0.03,
                             evaluate=evaluate, every=10)
    return model, history, evaluate()


def test_training_improves_and_ends_with_its_best_weights(tmp_path):
    _, history, final = fit(tmp_path)
    assert [row["step"] for row in history] == [10, 20, 30, 40]
    assert history[-1]["validation"] < history[0]["validation"]
    assert final == pytest.approx(min(row["validation"] for row in history), rel=1e-5)


def test_an_interrupted_training_resumes_to_the_same_result(tmp_path):
    straight, history, _ = fit(tmp_path / "straight")
    with pytest.raises(Interrupted):
        fit(tmp_path / "broken", stop_at=27)
    resumed, continued, _ = fit(tmp_path / "broken")
    assert [row["step"] for row in continued] == [10, 20, 30, 40]
    for a, b in zip(straight.get_weights(), resumed.get_weights(), strict=True):
        assert np.allclose(a, b, atol=1e-5)
    assert [r["validation"] for r in continued] == pytest.approx([r["validation"] for r in history],
                                                                 rel=1e-4)


def test_a_finished_training_is_not_repeated(tmp_path):
    fit(tmp_path)
    assert len(fit(tmp_path, stop_at=0)[1]) == 4
