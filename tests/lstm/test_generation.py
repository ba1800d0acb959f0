"""The sampler: what it fixes, what it repeats, and that it draws what the network says."""
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import datasets, scores
from course_utils.lstm import chorale_lstm, generation, memory
from course_utils.measuring import counterpoint
from course_utils.scores import REST, VOCABULARY, excerpt, from_grid, planning, transpose


@pytest.fixture(scope="module")
def model():
    return chorale_lstm.load()


@pytest.fixture(scope="module")
def untrained():
    keras.utils.set_random_seed(3)
    return chorale_lstm.ChoraleLSTM(units=16, embedding=8)


PLAN = planning.plan_chorale(1, key=7)


def free(steps: int, batch: int = 1) -> np.ndarray:
    return np.full((batch, steps, 4), -1)


def test_a_seed_repeats_bit_for_bit_and_another_does_not(model):
    first, again, other = (generation.compose(model, PLAN, seed=seed) for seed in (5, 5, 6))
    assert (first.pitches == again.pitches).all() and (first.onsets == again.onsets).all()
    assert (first.pitches != other.pitches).any()


@pytest.fixture
def forgetful(model):
    """Lend the shipped network without its memory of the piece."""
    trust = model.trust.numpy()
    model.trust.assign(np.zeros_like(trust))
    yield model
    model.trust.assign(trust)


def forced(model, score, semitones=(0,), **others) -> np.ndarray:
    """Return the sampler's nats (steps, 4) of a score that is given, every note of it."""
    inputs = chorale_lstm.chorale_inputs(score)
    given = inputs["tokens"][None], inputs["onsets"][None]
    tokens, onsets, nats = generation.sample(model, inputs, *given, seed=1,
                                             transpositions=semitones, **others)
    assert (tokens[0] == inputs["tokens"]).all() and (onsets[0] == score.onsets).all()
    return nats[0]


def read_at_once(model, score) -> np.ndarray:
    """Return the nats (steps, 4) of a score in the graph that the network was trained in."""
    inputs = {name: column[None] for name, column in chorale_lstm.chorale_inputs(score).items()}
    return chorale_lstm.chorale_nll(model, inputs)[0][0].numpy()


def test_stepwise_probabilities_equal_the_training_graph(forgetful):
    for score in datasets.chorales("test")[:3]:
        assert np.abs(forced(forgetful, score) - read_at_once(forgetful, score)).max() < 1e-4


def test_transposed_copies_are_averaged(forgetful):
    score = datasets.chorales("test")[3]
    copies = [np.exp(-read_at_once(forgetful, transpose(score, semitones)))
              for semitones in (-2, 0, 3)]
    assert np.abs(np.exp(-forced(forgetful, score, (-2, 0, 3)))
                  - np.mean(copies, axis=0)).max() < 1e-4


def test_the_memory_is_mixed_in(model, forgetful):
    score = next(s for s in datasets.chorales("test")
                 if (memory.longest_match(s.pitches)[1] > 40).any())
    alone = np.exp(-forced(forgetful, score))
    trust = np.random.default_rng(0).uniform(0.1, 0.9, forgetful.trust.shape)
    trust[:, 0] = 0
    forgetful.trust.assign(trust)
    position, length = memory.longest_match(score.pitches)
    hit = score.pitches[position] == score.pitches
    expected = alone.copy()
    asked = length > 0
    for voice in chorale_lstm.ORDER:
        weight = np.where(asked, trust[voice, np.digitize(length, memory.LENGTHS),
                                       np.arange(len(score)) % 2], 0)
        expected[:, voice] = (1 - weight) * alone[:, voice] + weight * hit[:, voice]
        asked = asked & hit[:, voice]
    assert np.abs(np.exp(-forced(forgetful, score)) - expected).max() < 1e-4


@pytest.mark.parametrize("voice", range(4))
def test_the_mixture_is_a_distribution_at_every_step(model, voice):
    score = excerpt(datasets.chorales("test")[0], 0, 40)
    inputs = chorale_lstm.chorale_inputs(score)
    given = np.repeat(inputs["tokens"][None], VOCABULARY, axis=0)
    given[:, 30, voice] = np.arange(VOCABULARY)
    for other in chorale_lstm.ORDER[chorale_lstm.ORDER.index(voice) + 1 :]:
        given[:, 30, other] = -1
    nats = generation.sample(model, inputs, given, np.full(given.shape, -1), seed=0)[2]
    assert np.exp(-nats[:, 30, voice]).sum() == pytest.approx(1, abs=1e-4)


def test_transposing_a_piece_hardly_changes_its_cost(model):
    score = datasets.chorales("test")[5]
    costs = [forced(model, transpose(score, semitones), generation.AVERAGED).mean()
             for semitones in (-1, 0, 2)]
    assert np.ptp(costs) < 0.1 * np.mean(costs)


def test_notes_at_the_edge_of_the_vocabulary_survive_transposed_copies(untrained):
    grid = np.tile([scores.HIGHEST, scores.HIGHEST - 1, scores.LOWEST + 1, scores.LOWEST], (6, 1))
    assert np.isfinite(forced(untrained, from_grid(grid), generation.AVERAGED)).all()


def test_a_tiny_temperature_is_greedy(model):
    inputs = chorale_lstm.chorale_inputs(PLAN)
    cold, _, _ = generation.sample(model, inputs, free(len(PLAN)), free(len(PLAN)), seed=1,
                                   temperature=1e-4)
    tiny, _, _ = generation.sample(model, inputs, free(len(PLAN)), free(len(PLAN)), seed=2,
                                   top_p=1e-6)
    assert (cold == tiny).all()


def test_a_tiny_temperature_takes_the_likeliest_note(forgetful):
    inputs = chorale_lstm.chorale_inputs(PLAN)
    settings = {"seed": 3, "temperature": 1e-4, "transpositions": (0,)}
    tokens, onsets, _ = generation.sample(forgetful, inputs, free(len(PLAN)), free(len(PLAN)),
                                          **settings)
    composed = chorale_lstm.chorale_inputs(
        replace(PLAN, pitches=scores.to_pitches(tokens[0]), onsets=onsets[0]))
    log_p = forgetful({name: column[None] for name, column in composed.items()})[0].numpy()[0]
    chosen = np.take_along_axis(log_p, composed["tokens"][..., None], -1)[..., 0]
    assert np.allclose(log_p.max(axis=-1), chosen, atol=1e-3)


def test_samples_follow_the_networks_probabilities(untrained):
    inputs = chorale_lstm.chorale_inputs(from_grid(np.full((1, 4), 60)))
    tokens, _, _ = generation.sample(untrained, inputs, free(1, 4000), free(1, 4000), seed=0,
                                     transpositions=(0,))
    log_p = untrained({name: column[None] for name, column in inputs.items()})[0].numpy()[0, 0, 0]
    drawn = np.bincount(tokens[:, 0, 0], minlength=len(log_p)) / 4000
    assert np.abs(drawn - np.exp(log_p)).max() < 4 * np.sqrt(np.exp(log_p).max() / 4000)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=2, max_size=8), st.floats(0.01, 1))
def test_top_p_keeps_the_smallest_set_that_reaches_it(logits, top_p):
    logits = np.array(logits, np.float32)
    kept = generation.keep_top_p(tf.constant(logits), top_p).numpy() > -1e8
    p = tf.nn.softmax(logits).numpy()
    assert kept[p.argmax()] and p[kept].sum() >= top_p - 1e-5
    without_least = p[kept].sum() - p[kept].min()
    assert without_least < top_p + 1e-5 or np.isclose(p[kept], p[kept].min()).sum() > 1


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-50, 50), min_size=2, max_size=8, unique=True), st.integers(1, 8))
def test_top_k_keeps_the_likeliest(logits, top_k):
    top_k = min(top_k, len(logits))
    kept = generation.keep_top_k(tf.constant(logits, tf.float32), top_k).numpy()
    assert sorted(kept[kept > -1e8].tolist(), reverse=True) == sorted(logits, reverse=True)[:top_k]


def test_top_k_of_one_is_greedy_and_of_all_is_plain_sampling(model):
    inputs, blank = chorale_lstm.chorale_inputs(PLAN), (free(len(PLAN)), free(len(PLAN)))
    greedy, cold = (generation.sample(model, inputs, *blank, seed=1, **how)[0]
                    for how in ({"top_k": 1}, {"temperature": 1e-4}))
    assert (greedy == cold).all()
    whole, plain, few = (generation.sample(model, inputs, *blank, seed=1, **how)[0]
                         for how in ({"top_k": VOCABULARY, "top_p": 1.0}, {}, {"top_k": 3}))
    assert (whole == plain).all() and (few != plain).any()


def test_an_opening_is_kept_and_continued(model):
    opening = excerpt(datasets.chorales("test")[0], 0, 24)
    pitches, onsets = (np.vstack([head, np.repeat(head[-1:], 24, axis=0)])
                       for head in (opening.pitches, opening.onsets))
    plan = from_grid(pitches, onsets | scores.changes(pitches))
    piece = generation.compose(model, plan, seed=1, opening=24, candidates=2)
    assert (piece.pitches[:24] == opening.pitches).all()
    assert (piece.onsets[:24] == opening.onsets).all()
    assert (piece.pitches[24:] != pitches[24:]).any()


def test_top_p_of_one_keeps_everything():
    logits = np.linspace(-3, 3, 9, dtype=np.float32)
    assert (generation.keep_top_p(tf.constant(logits), 1.0).numpy() == logits).all()


@settings(max_examples=5, deadline=None)
@given(st.lists(st.integers(60, 76), min_size=4, max_size=10), st.integers(0, 1000))
def test_harmonising_keeps_the_melody_exactly(model, notes, seed):
    melody = from_grid(np.repeat(notes, 4)[:, None], key=0)
    harmony = generation.compose(model, planning.plan_harmony(melody), (0,), seed=seed,
                                 candidates=2)
    assert (harmony.pitches[:, 0] == melody.pitches[:, 0]).all()
    assert (harmony.onsets[:, 0] == melody.onsets[:, 0]).all()
    assert (harmony.pitches[:, 1:] != REST).mean() > 0.5


def test_rests_in_a_melody_stay(model):
    melody = from_grid(np.array([REST] * 4 + [67] * 8 + [REST] * 4)[:, None])
    harmony = generation.compose(model, planning.plan_harmony(melody), (0,), seed=0)
    assert (harmony.pitches[:, 0] == melody.pitches[:, 0]).all()


def test_candidates_end_on_the_tonic_where_one_does(model):
    for key in (2, 16):
        score = generation.compose(model, planning.plan_chorale(2, key), seed=1, temperature=0.9,
                                   top_p=0.95, candidates=32)
        assert planning.ends_on_tonic(score)


def test_candidates_are_ranked_by_ending_then_typicality_then_parallels():
    ends, strays = [[67, 64, 60, 48]], [[67, 64, 60, 50]]
    clean, parallel = [[64, 60, 55, 48], [65, 60, 57, 53]], [[64, 60, 55, 48], [66, 62, 57, 50]]
    found = [from_grid(np.array(body + end), key=0)
             for body, end in ((clean, strays), (parallel, ends), (clean, ends), (clean, ends),
                               (parallel, ends))]
    assert generation._rank(found, np.array([20, 21, 19, 1, 20.5])).tolist() == [2, 4, 1, 3, 0]


def test_a_composed_piece_moves_as_chorales_do(model):
    score = generation.compose(model, planning.plan_chorale(5, 0), seed=2, temperature=0.9,
                               top_p=0.95, candidates=32)
    measured = counterpoint.measure(score)
    assert measured["longest standstill, quarters"] < 8 and measured["moves a quarter"] > 0.5
    assert measured["parallel fifths a bar"] + measured["parallel octaves a bar"] < 0.5


def test_a_composed_piece_is_plausible_music(model):
    score = generation.compose(model, planning.plan_chorale(4, 0), seed=1, temperature=0.9,
                               top_p=0.95, candidates=8)
    assert score.pitches.shape == (128, 4) and len(set(score.pitches.ravel().tolist())) > 10
    in_scale = np.isin(score.pitches % 12, [0, 2, 4, 5, 7, 9, 11])
    assert in_scale.mean() > 0.85
    assert 0.1 < score.onsets.mean() < 0.5


@pytest.mark.parametrize("setting",
                         [{"temperature": 0}, {"temperature": -1}, {"temperature": float("nan")},
                          {"top_p": 0}, {"top_p": 1.5}, {"top_p": float("nan")}, {"candidates": 0},
                          {"top_k": 0}, {"top_k": VOCABULARY + 1}, {"top_k": 2.5}])
def test_settings_out_of_range(model, setting):
    with pytest.raises(ValueError, match="temperature|top_p|top_k|candidates"):
        generation.compose(model, PLAN, seed=1, **setting)


def test_a_plan_of_other_voices_is_refused(model):
    with pytest.raises(ValueError, match="four voices"):
        generation.compose(model, replace(PLAN, pitches=PLAN.pitches[:, :2],
                                          onsets=PLAN.onsets[:, :2]), seed=1)
