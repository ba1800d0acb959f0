"""The memory of a piece's own past: that it finds what a plain search finds, and trusts it as far
as it was right.
"""
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import datasets, scores
from course_utils.lstm import chorale_lstm, memory

ORDER = chorale_lstm.ORDER


def plain_search(tokens: np.ndarray, step: int) -> tuple[int, int]:
    """Return the best (length, position) by comparing all earlier steps one by one."""
    best = (0, 0)
    for place in range(step % 4, step, 4):
        length = 0
        while length < place and (tokens[place - 1 - length] == tokens[step - 1 - length]).all():
            length += 1
        best = max(best, (length, place))
    return best


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 2), min_size=1, max_size=40))
def test_the_longest_match_is_what_a_plain_search_finds(column):
    tokens = np.repeat(np.array(column)[:, None], 4, axis=1)
    position, length = memory.longest_match(tokens)
    for step in range(len(tokens)):
        expected = plain_search(tokens, step)
        assert length[step] == expected[0]
        assert length[step] == 0 or position[step] == expected[1]


def test_inside_the_loop_it_is_the_same():
    pieces = [scores.to_tokens(score.pitches[:150]) for score in datasets.chorales("test")[:40]
              if len(score) >= 150][:6]
    tokens = tf.constant(np.stack(pieces))
    match, history = tf.zeros(tokens.shape[:2], tf.int32), tf.zeros(tokens.shape, tf.int32)
    expected = [memory.longest_match(piece) for piece in pieces]
    for step in range(150):
        recalled, agreeing = memory.recall(match, history, step)
        for row, (position, length) in enumerate(expected):
            assert agreeing[row] == np.digitize(length[step], memory.LENGTHS)
            assert length[step] == 0 or (recalled[row].numpy() == pieces[row][position[step]]).all()
        match, history = memory.remember(match, history, step, tokens[:, step])


def test_a_repeated_phrase_is_recalled_and_a_different_one_not():
    phrase = np.random.default_rng(0).integers(1, 50, (16, 4))
    position, length = memory.longest_match(np.vstack([phrase, phrase]))
    assert length[:17].max() == 0 and position[17:].tolist() == list(range(1, 16))
    assert length[17:].tolist() == list(range(1, 16))


def likelihood(nats, tokens, trust) -> float:
    """Return the mean log-likelihood of one piece under the mixture."""
    position, length = memory.longest_match(tokens)
    hit, p, asked = tokens[position] == tokens, np.exp(-nats), length > 0
    for voice in ORDER:
        weight = np.where(asked, trust[voice, np.digitize(length, memory.LENGTHS),
                                       np.arange(len(tokens)) % 2], 0)
        p[:, voice] = (1 - weight) * p[:, voice] + weight * hit[:, voice]
        asked = asked & hit[:, voice]
    return float(np.log(p).mean())


def test_fitted_trust_is_the_best_there_is():
    tokens = scores.to_tokens(datasets.chorales("train")[0].pitches)
    nats = np.random.default_rng(0).exponential(0.4, tokens.shape)
    trust = memory.fit_trust([nats], [tokens], ORDER, rounds=400)
    best = likelihood(nats, tokens, trust)
    assert best > likelihood(nats, tokens, np.zeros_like(trust))
    for voice, length, place in np.argwhere((trust > 0.02) & (trust < 0.98)):
        for change in (0.98, 1.02):
            other = trust.copy()
            other[voice, length, place] *= change
            assert likelihood(nats, tokens, other) <= best + 1e-9


def test_where_nothing_repeats_nothing_is_trusted():
    tokens = np.arange(1, 57)[:, None] + np.zeros((1, 4), int)
    assert memory.fit_trust([np.ones(tokens.shape)], [tokens], ORDER).max() == 0


@pytest.mark.parametrize("weights", [[0.9] * 5, [0.5] * 5])
def test_trust_is_never_complete(weights):
    tokens = np.full((200, 4), 7)
    nats = -np.log(np.resize(weights, tokens.shape))
    assert 0.5 < memory.fit_trust([nats], [tokens], ORDER).max() < 1
