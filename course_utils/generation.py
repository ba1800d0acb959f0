"""Samplers: fill a planned score with the notes that a network chooses."""
import functools
from dataclasses import replace

import numpy as np
import tensorflow as tf

from course_utils import networks
from course_utils.planning import ends_on_tonic
from course_utils.scores import Score, to_pitches, to_tokens

CANDIDATES = 32  # enough that some end on the tonic; a single sample seldom does


def compose(model: networks.ChoraleLSTM, plan: Score, voices_given: tuple[int, ...] = (), *, seed: int,
            temperature: float = 1.0, top_p: float = 1.0, candidates: int = 1) -> Score:
    """Fill a planned score with four voices; of several candidates, keep the one the network finds likeliest.

    Where the plan has a key, candidates that end on its tonic go before all others.

    Args:
        model: the chorale LSTM.
        plan: bars, fermatas and key, and the notes of the voices that are given; `planning.plan_chorale` or
            `planning.plan_harmony` make one.
        voices_given: numbers of the voices (0 soprano … 3 bass) that the plan fixes, rests included.
        seed: the same seed gives the same music.
        temperature: above 0; small values play safe, large ones surprise.
        top_p: at each choice, keep the smallest set of likeliest notes whose probability reaches this (Holtzman et al. 2020).
        candidates: how many pieces to sample at once.

    Returns:
        A score with the plan's bars, fermatas, key and title.
    """
    if plan.pitches.shape[1] != 4 or candidates < 1:
        raise ValueError("The plan needs four voices, and candidates is at least 1, "
                         f"not {plan.pitches.shape[1]} and {candidates}.")
    given = np.isin(np.arange(4), voices_given)
    fixed = np.where(given, to_tokens(plan.pitches), -1)[None].repeat(candidates, 0)
    struck = np.where(given, plan.onsets, -1)[None].repeat(candidates, 0)
    tokens, onsets, nats = sample(model, networks.chorale_inputs(plan), fixed, struck,
                                  seed=seed, temperature=temperature, top_p=top_p)
    found = [replace(plan, pitches=to_pitches(pitches), onsets=begun) for pitches, begun in zip(tokens, onsets, strict=True)]
    astray = np.array([plan.key is not None and not ends_on_tonic(score) for score in found])
    return found[np.lexsort([nats.sum(axis=(1, 2)), astray])[0]]


def sample(model: networks.ChoraleLSTM, plan: dict, fixed: np.ndarray, struck: np.ndarray, *, seed: int,
           temperature: float = 1.0, top_p: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sample a batch of pieces in one compiled loop over time that keeps the network's state inside.

    Args:
        model: the chorale LSTM.
        plan: `beat`, `phrase` and `key`, each (steps,), as `networks.chorale_inputs` gives them.
        fixed: (batch, steps, 4) tokens that are given, -1 where the network chooses.
        struck: (batch, steps, 4) 1 and 0 for given onsets, -1 where the network chooses.
        seed: the same seed and batch give the same music.
        temperature: divides all logits; above 0.
        top_p: share of probability that choices are made from, in (0, 1].

    Returns:
        Tokens (batch, steps, 4) int32, onsets (batch, steps, 4) bool, and the chosen tokens' negative log-likelihoods
        (batch, steps, 4) in nats, under the network as it is (temperature 1, top-p 1).

    Raises:
        ValueError: if temperature, top_p or seed is out of range.
    """
    if not (np.isfinite(temperature) and temperature > 0):
        raise ValueError(f"The temperature is {temperature}; choose a number above 0, such as 0.9.")
    if not 0 < top_p <= 1:
        raise ValueError(f"top_p is {top_p}; choose a number above 0 and at most 1, such as 0.95.")
    if not 0 <= seed < 2**31:
        raise ValueError(f"The seed is {seed}; choose a whole number from 0 to 2147483647.")
    context = np.stack([plan["beat"], plan["phrase"], plan["key"]], axis=-1).astype(np.int32)
    out = _loop(model)(tf.constant(context), tf.constant(fixed, tf.int32), tf.constant(struck, tf.int32),
                       tf.constant(seed, tf.int32), tf.constant(temperature, tf.float32), tf.constant(top_p, tf.float32))
    tokens, onsets, nats = (array.numpy() for array in out)
    return tokens, onsets == 1, nats


def keep_top_p(logits, top_p):
    """Return logits (…, n) with all but the likeliest choices, up to probability `top_p` in total, set to -1e9."""
    ordered = tf.sort(logits, direction="DESCENDING")
    before = tf.cumsum(tf.nn.softmax(ordered), axis=-1, exclusive=True)
    lowest = tf.reduce_min(tf.where(before < top_p, ordered, np.inf), axis=-1, keepdims=True)
    return tf.where(logits >= lowest, logits, -1e9)


def draw(logits, fixed, seed, temperature, top_p):
    """Draw one token a row from tempered, cut logits (batch, n), except where `fixed` (batch,) is not -1."""
    drawn = tf.random.stateless_categorical(keep_top_p(logits / temperature, top_p), 1, seed, dtype=tf.int32)[:, 0]
    return tf.where(fixed >= 0, fixed, drawn)


def draw_voices(model: networks.ChoraleLSTM, state, fixed, seed, temperature, top_p):
    """Draw the four voices of one time step in order, each seeing those before it; also return their nats (batch, 4)."""
    tokens, vectors, nats = [None] * 4, [], [None] * 4
    for rank, voice in enumerate(networks.ORDER):
        logits = model.voice(rank, state, vectors)
        tokens[voice] = draw(logits, fixed[:, voice], (seed[0], seed[1] + rank), temperature, top_p)
        nats[voice] = tf.nn.sparse_softmax_cross_entropy_with_logits(tokens[voice], logits)
        vectors.append(model.pitch(tokens[voice] + voice * (networks.START + 1)))
    return tf.stack(tokens, axis=-1), tf.stack(nats, axis=-1)


def draw_onsets(model: networks.ChoraleLSTM, state, tokens, previous, struck, seed, temperature):
    """Draw which voices strike their note (batch, 4), keeping those that `struck` gives as 0 or 1."""
    patterns = model.onset(state, model.embed(tokens), tokens, previous)
    bits = tf.constant((np.arange(16)[:, None] >> np.arange(4)) & 1, tf.int32)
    possible = tf.reduce_all((struck[:, None] < 0) | (struck[:, None] == bits), axis=-1)
    wanted = tf.where(possible, patterns, patterns - 1e6)
    return tf.gather(bits, draw(wanted, tf.fill(tf.shape(wanted)[:1], -1), seed, temperature, 1.0))


@functools.lru_cache(maxsize=4)
def _loop(model: networks.ChoraleLSTM):
    """Compile the sampling loop of one model; a later call with another length or batch size reuses it."""
    integer, real, grid = tf.TensorSpec((), tf.int32), tf.TensorSpec((), tf.float32), tf.TensorSpec((None, None, 4), tf.int32)

    @tf.function(input_signature=[tf.TensorSpec((None, 3), tf.int32), grid, grid, integer, real, real])
    def loop(context, fixed, struck, seed, temperature, top_p):
        batch, steps = tf.shape(fixed)[0], tf.shape(fixed)[1]
        previous, held = tf.fill((batch, 4), networks.START), tf.zeros((batch, 4), tf.int32)
        states = model.initial_states(batch)
        written = [tf.TensorArray(dtype, size=steps, element_shape=(None, 4)) for dtype in (tf.int32, tf.int32, tf.float32)]
        for step in tf.range(steps):
            here = [tf.fill((batch,), context[step, i]) for i in range(3)]
            state, states = model.advance(previous, held, here, states)
            key = (seed, 5 * step)
            tokens, nats = draw_voices(model, state, fixed[:, step], key, temperature, top_p)
            onsets = draw_onsets(model, state, tokens, previous, struck[:, step], (seed, 5 * step + 4), temperature)
            written = [array.write(step, row) for array, row in zip(written, (tokens, onsets, nats), strict=True)]
            previous, held = tf.ensure_shape(tokens, (None, 4)), tf.ensure_shape(1 + onsets, (None, 4))
        return [tf.transpose(array.stack(), (1, 0, 2)) for array in written]

    return loop
