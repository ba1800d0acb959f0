"""What the chorale LSTM reads and says."""
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import datasets, environment
from course_utils.lstm import chorale_lstm, continuing
from course_utils.scores import VOCABULARY, from_grid


@pytest.fixture(scope="module")
def small():
    keras.utils.set_random_seed(3)
    return chorale_lstm.ChoraleLSTM(units=16, embedding=8)


def batched(inputs: dict) -> dict:
    return {name: column[None] for name, column in inputs.items()}


def test_inputs_show_each_step_only_the_step_before():
    score = datasets.chorales("test")[0]
    inputs = chorale_lstm.chorale_inputs(score)
    assert (inputs["previous"][0] == chorale_lstm.START).all()
    assert (inputs["previous"][1:] == inputs["tokens"][:-1]).all()
    assert (inputs["struck"][0] == 0).all()
    assert (inputs["struck"][1:] == 1 + score.onsets[:-1]).all()
    dimensions = {name: column.ndim for name, column in inputs.items()}
    assert dimensions == {n: 2 if w else 1 for n, w in chorale_lstm.INPUTS.items()}


def test_beats_of_different_bars_are_different_and_unusual_bars_unknown():
    steps = np.full((48, 4), 60)
    beats = {bar: set(chorale_lstm.chorale_inputs(from_grid(steps, bar=bar))["beat"].tolist())
             for bar in (16, 12, 24, 20)}
    assert [len(beats[bar]) for bar in (16, 12, 24)] == [16, 12, 24]
    assert not beats[16] & beats[12] | beats[12] & beats[24]
    assert beats[20] == {0} and max(beats[24]) < 53


def test_phrase_position_counts_down_to_the_fermata_and_tells_the_last():
    fermata = np.zeros(12, bool)
    fermata[[3, 4, 9]] = True
    assert chorale_lstm.phrase_position(fermata).tolist() == [4, 3, 2, 1, 1, 37, 36, 35, 34, 33, 0,
                                                              0]
    assert chorale_lstm.phrase_position(np.zeros(5, bool)).tolist() == [0] * 5
    far = np.zeros(100, bool)
    far[-1] = True
    assert chorale_lstm.phrase_position(far).max() == 64


def test_later_steps_and_later_voices_do_not_change_earlier_probabilities(small):
    inputs = chorale_lstm.chorale_inputs(datasets.chorales("test")[0])
    before = small(batched(inputs))[0].numpy()
    changed = inputs | {"tokens": inputs["tokens"].copy(), "previous": inputs["previous"].copy()}
    changed["tokens"][20, 3] = 7
    changed["previous"][21, 3] = 7
    after = small(batched(changed))[0].numpy()
    assert np.allclose(before[0, :20], after[0, :20], atol=1e-5)
    assert np.allclose(before[0, 20, [0, 3]], after[0, 20, [0, 3]], atol=1e-5)
    assert not np.allclose(before[0, 20, 1], after[0, 20, 1], atol=1e-5)
    assert not np.allclose(before[0, 21, 0], after[0, 21, 0], atol=1e-5)


def test_probabilities_sum_to_one_over_notes_and_over_patterns(small):
    pitches, onsets = small(batched(chorale_lstm.chorale_inputs(datasets.chorales("test")[1])))
    assert pitches.shape[-1] == VOCABULARY and np.allclose(np.exp(pitches).sum(-1), 1, atol=1e-4)
    assert np.allclose(np.exp(onsets).sum(-1), 1, atol=1e-4)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=4, max_size=4),
       st.lists(st.integers(0, 3), min_size=4, max_size=4))
def test_onset_patterns_are_those_a_score_allows(now, before):
    allowed = np.asarray(chorale_lstm.onset_patterns(np.array(now), np.array(before)))
    for number in range(16):
        struck = [(number >> voice) & 1 for voice in range(4)]
        legal = all(not s if n == 0 else s or n == b
                    for s, n, b in zip(struck, now, before, strict=True))
        assert allowed[number] == legal


def test_real_scores_have_finite_costs(small):
    for score in datasets.chorales("valid")[:5]:
        pitches, onsets = chorale_lstm.chorale_nll(small,
                                                   batched(chorale_lstm.chorale_inputs(score)))
        assert pitches.shape == (1, len(score), 4) and onsets.shape == (1, len(score))
        assert np.isfinite(pitches).all() and np.max(onsets) < 50


def test_stepping_with_the_state_equals_reading_all_at_once(small):
    inputs = chorale_lstm.chorale_inputs(datasets.chorales("test")[2])
    all_at_once = small(batched(inputs))[0].numpy()[0, :, 0]
    states = small.initial_states(1)
    for step in range(12):
        row = [inputs[name][None, step] for name in ("previous", "struck")]
        state, states = small.advance(*row,
                                      [inputs[name][None, step]
                                       for name in ("beat", "phrase", "key")], states)
        logits = small.voice(0, state, []).numpy()[0]
        assert np.allclose(logits - np.logaddexp.reduce(logits), all_at_once[step], atol=1e-4)


def test_the_card_and_the_weights_belong_together():
    card = environment.stored("weights/chorale_lstm.json")
    assert chorale_lstm.load().count_params() == card["parameters"]
    with pytest.raises(FileNotFoundError, match="unheard_of"):
        environment.stored("weights/unheard_of.json")


def test_audio_lstm_answers_after_every_frame_from_what_it_has_seen():
    keras.utils.set_random_seed(0)
    model = continuing.audio_lstm(outputs=7, bins=5, hidden=6)
    windows = np.random.default_rng(0).normal(size=(2, 9, 5)).astype(np.float32)
    before = model(windows).numpy()
    windows[:, 4:] += 1
    after = model(windows).numpy()
    assert before.shape == (2, 9, 7) and (before < 0).any()
    np.testing.assert_allclose(before[:, :4], after[:, :4], atol=1e-6)
    assert (np.abs(before[:, 4] - after[:, 4]) > 1e-4).any()
    assert (continuing.audio_lstm(activation="relu", bins=5)(windows).numpy() >= 0).all()
    assert continuing.audio_lstm().count_params() == 4 * 128 * (64 + 128 + 1) + 129 * 64


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-3, 3), min_size=9, max_size=9), st.floats(-5, 5))
def test_mixture_nll_is_that_of_scipy_and_a_density(outputs, y):
    import scipy.special
    import scipy.stats

    logits, means, log_widths = np.array(outputs).reshape(3, 3)
    weights = scipy.special.softmax(logits)
    expected = -np.log((weights * scipy.stats.norm.pdf(y, means, np.exp(log_widths))).sum()
                       + 1e-300)
    found = float(continuing.mixture_nll(np.array([[y]]), np.array([outputs]))[0])
    assert found == pytest.approx(expected, abs=1e-3) or expected > 80
