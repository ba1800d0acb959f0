"""Samplers: fill a planned score with the notes that a network chooses."""
import functools
from dataclasses import replace

import numpy as np
import tensorflow as tf

from course_utils.lstm import chorale_lstm, memory
from course_utils.measuring import counterpoint
from course_utils.scores import VOCABULARY, Score, to_pitches, to_tokens
from course_utils.scores.planning import ends_on_tonic

AVERAGED = (-2, -1, 0, 1, 2)
CANDIDATES = 32  # enough that some end on the tonic; a single sample seldom does


def compose(model: chorale_lstm.ChoraleLSTM, plan: Score, voices_given: tuple[int, ...] = (), *,
            seed: int, temperature: float = 1.0, top_p: float = 1.0, top_k: int = VOCABULARY,
            candidates: int = 1, opening: int = 0) -> Score:
    """Fill a planned score with four voices; of several candidates, keep one that is typical and
    well made.

    Where the plan has a key, candidates that end on its tonic go before all others. Of these, the
    half whose likelihood is nearest to the median (the likeliest pieces of all stand still: no
    typical sample is as likely as they are), and of that half the one with the fewest parallel
    fifths and octaves, which the network writes more often than Bach.

    Args:
        model: the chorale LSTM.
        plan: bars, fermatas and key, and the notes of the voices that are given;
            `planning.plan_chorale` or `planning.plan_harmony` make one.
        voices_given: numbers of the voices (0 soprano … 3 bass) that the plan fixes, rests
            included.
        seed: the same seed gives the same music.
        temperature: above 0; small values play safe, large ones surprise.
        top_p: at each choice, keep the smallest set of likeliest notes whose probability reaches
            this (Holtzman et al. 2020).
        top_k: at each choice, keep so many of the likeliest notes (Fan et al. 2018).
        candidates: how many pieces to sample at once.
        opening: so many steps at the beginning are given in the plan, in all voices.

    Returns:
        A score with the plan's bars, fermatas, key and title.
    """
    if plan.pitches.shape[1] != 4 or candidates < 1:
        raise ValueError("The plan needs four voices, and candidates is at least 1, "
                         f"not {plan.pitches.shape[1]} and {candidates}.")
    given = np.isin(np.arange(4), voices_given) | (np.arange(len(plan)) < opening)[:, None]
    fixed = np.where(given, to_tokens(plan.pitches), -1)[None].repeat(candidates, 0)
    struck = np.where(given, plan.onsets, -1)[None].repeat(candidates, 0)
    tokens, onsets, nats = sample(model, chorale_lstm.chorale_inputs(plan), fixed, struck,
                                  seed=seed, temperature=temperature, top_p=top_p, top_k=top_k)
    found = [replace(plan, pitches=to_pitches(pitches), onsets=begun)
             for pitches, begun in zip(tokens, onsets, strict=True)]
    return found[_rank(found, nats.sum(axis=(1, 2)))[0]]


def _rank(found: list[Score], nats: np.ndarray) -> np.ndarray:
    """Order candidates: by whether they end on the tonic, are typical, by their parallels, and by
    how typical they are.
    """
    astray = [score.key is not None and not ends_on_tonic(score) for score in found]
    unusual = np.abs(nats - np.median(nats))
    fifths, octaves = ([len(counterpoint.parallels(score, size)) for score in found]
                       for size in (counterpoint.FIFTH, counterpoint.OCTAVE))
    return np.lexsort([unusual, np.add(fifths, octaves), unusual > np.median(unusual), astray])


def sample(model: chorale_lstm.ChoraleLSTM, plan: dict, fixed: np.ndarray, struck: np.ndarray, *,
           seed: int, temperature: float = 1.0, top_p: float = 1.0, top_k: int = VOCABULARY,
           onsets_seen: bool = True,
           transpositions: tuple[int, ...] = AVERAGED) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sample a batch of pieces in one compiled loop over time that keeps the network's state
    inside.

    The network reads each piece in several transpositions at once. Their probabilities, moved back,
    are averaged, and mixed with a memory of what followed in the piece itself the last time that it
    went like this (course_utils.lstm.memory).

    Args:
        model: the chorale LSTM; its `trust` says how far to follow the memory.
        plan: `beat`, `phrase` and `key`, each (steps,) as `chorale_lstm.chorale_inputs` gives them,
            or (batch, steps).
        fixed: (batch, steps, 4) tokens that are given, -1 where the network chooses.
        struck: (batch, steps, 4) 1 and 0 for given onsets, -1 where the network chooses.
        seed: the same seed and batch give the same music.
        temperature: divides the logarithms of all probabilities; above 0.
        top_p: share of probability that choices are made from, in (0, 1].
        top_k: number of the likeliest tokens that choices are made from, 1 (greedy) to 60 (all).
        transpositions: in semitones; (0,) asks the network once.
        onsets_seen: whether the network may see which notes of the previous step were struck.

    Returns:
        Tokens (batch, steps, 4) int32, onsets (batch, steps, 4) bool, and the chosen tokens'
        negative log-likelihoods (batch, steps, 4) in nats, at temperature 1, nothing cut off.

    Raises:
        ValueError: if temperature, top_p, top_k or seed is out of range.
    """
    if not (np.isfinite(temperature) and temperature > 0):
        raise ValueError(f"The temperature is {temperature}; choose a number above 0, such as 0.9.")
    if not 0 < top_p <= 1:
        raise ValueError(f"top_p is {top_p}; choose a number above 0 and at most 1, such as 0.95.")
    if top_k not in range(1, VOCABULARY + 1):
        raise ValueError(f"top_k is {top_k}; choose a whole number from 1 to {VOCABULARY}, such as "
                         "5.")
    if not 0 <= seed < 2**31:
        raise ValueError(f"The seed is {seed}; choose a whole number from 0 to 2147483647.")
    context = np.stack([np.broadcast_to(plan[name], np.shape(fixed)[:2])
                        for name in ("beat", "phrase", "key")], axis=-1)
    whole = [tf.constant(x, tf.int32) for x in (context, fixed, struck, transpositions,
                                                int(onsets_seen), seed, top_k)]
    out = _loop(model)(*whole, tf.constant(temperature, tf.float32), tf.constant(top_p, tf.float32))
    tokens, onsets, nats = (array.numpy() for array in out)
    return tokens, onsets == 1, nats


def keep_top_p(logits, top_p):
    """Return logits (…, n) with all but the likeliest choices, up to probability `top_p` in total,
    set to -1e9.
    """
    ordered = tf.sort(logits, direction="DESCENDING")
    before = tf.cumsum(tf.nn.softmax(ordered), axis=-1, exclusive=True)
    lowest = tf.reduce_min(tf.where(before < top_p, ordered, np.inf), axis=-1, keepdims=True)
    return tf.where(logits >= lowest, logits, -1e9)


def keep_top_k(logits, top_k):
    """Return logits (…, n) with all but the `top_k` likeliest choices set to -1e9; choices that
    equal the last one stay.
    """
    lowest = tf.sort(logits, direction="DESCENDING")[..., top_k - 1 : top_k]
    return tf.where(logits >= lowest, logits, -1e9)


def _draw(logits, fixed, seed, temperature, top_p, top_k):
    """Draw one token a row from tempered, cut logits (batch, n), except where `fixed` (batch,) is
    not -1.
    """
    kept = keep_top_p(keep_top_k(logits / temperature, top_k), top_p)
    drawn = tf.random.stateless_categorical(kept, 1, seed, dtype=tf.int32)[:, 0]
    return tf.where(fixed >= 0, fixed, drawn)


def _transposed(tokens, semitones):
    """Move tokens (batch, voices) by each of `semitones` (n,): return (n * batch, voices); rests
    stay, the extremes hold.
    """
    moved = tf.clip_by_value(tokens + semitones[:, None, None], 1, VOCABULARY - 1)
    still = (tokens == 0) | (tokens == chorale_lstm.START)
    # (copies * pieces, 4)
    return tf.reshape(tf.where(still, tokens, moved), (-1, tokens.shape[-1]))


def average(logits, semitones):
    """Average what transposed copies predict: logits (n * batch, vocabulary) to probabilities
    (batch, vocabulary).
    """
    # (copies, pieces, tokens)
    p = tf.reshape(tf.nn.softmax(logits), (tf.size(semitones), -1, VOCABULARY))
    places = np.arange(VOCABULARY)
    moved = tf.where(places == 0, 0, places + semitones[:, None])
    inside = (places == 0) | ((moved > 0) & (moved < VOCABULARY))
    back = tf.gather(p, tf.clip_by_value(moved, 0, VOCABULARY - 1), axis=2, batch_dims=1)
    total = tf.reduce_sum(tf.where(inside[:, None], back, 0.0), axis=0)
    return total / tf.reduce_sum(total, axis=-1, keepdims=True)


def _draw_voices(model: chorale_lstm.ChoraleLSTM, state, semitones, recalled, trust, fixed, seed,
                 temperature, top_p, top_k):
    """Draw the four voices of one time step in order, each seeing those before it; also return
    their nats (batch, 4).

    The memory's tokens `recalled` (batch, 4) are mixed in with weights `trust` (batch, 4) until a
    voice leaves them.
    """
    tokens, vectors, nats, agree = [None] * 4, [], [None] * 4, tf.ones(tf.shape(trust)[:1])
    for rank, voice in enumerate(chorale_lstm.ORDER):
        weight = (agree * trust[:, voice])[:, None]
        p = (1 - weight) * average(model.voice(rank, state, vectors), semitones)
        logits = tf.math.log(tf.maximum(p + weight * tf.one_hot(recalled[:, voice], VOCABULARY),
                                        1e-30))
        tokens[voice] = _draw(logits, fixed[:, voice], (seed[0], seed[1] + rank), temperature,
                              top_p, top_k)
        nats[voice] = -tf.gather(logits, tokens[voice], batch_dims=1)
        agree *= tf.cast(tokens[voice] == recalled[:, voice], tf.float32)
        copies = _transposed(tokens[voice][:, None], semitones)[:, 0]
        vectors.append(model.pitch(copies + voice * (chorale_lstm.START + 1)))
    return tf.stack(tokens, axis=-1), tf.stack(nats, axis=-1)


def _draw_onsets(model: chorale_lstm.ChoraleLSTM, state, semitones, tokens, previous, struck, seed,
                 temperature, top_k):
    """Draw which voices strike their note (batch, 4), keeping those that `struck` gives as 0 or
    1.
    """
    copies, before = _transposed(tokens, semitones), _transposed(previous, semitones)
    patterns = tf.exp(tf.reshape(model.onset(state, model.embed(copies), copies, before),
                                 (tf.size(semitones), -1, 16)))
    bits = tf.constant((np.arange(16)[:, None] >> np.arange(4)) & 1, tf.int32)
    possible = tf.reduce_all((struck[:, None] < 0) | (struck[:, None] == bits), axis=-1)
    wanted = tf.where(possible, tf.math.log(tf.maximum(tf.reduce_mean(patterns, axis=0), 1e-30)),
                      -1e6)
    return tf.gather(bits, _draw(wanted, tf.fill(tf.shape(wanted)[:1], -1), seed, temperature, 1.0,
                                 tf.minimum(top_k, 16)))


@functools.lru_cache(maxsize=4)
def _loop(model: chorale_lstm.ChoraleLSTM):
    """Compile the sampling loop of one model; a later call with another length or batch size reuses
    it.
    """
    shapes = [(None, None, 3), (None, None, 4), (None, None, 4), (None,), (), (), ()]

    @tf.function(input_signature=[tf.TensorSpec(shape, tf.int32) for shape in shapes] + 2
                 * [tf.TensorSpec((), tf.float32)])
    def loop(context, fixed, struck, semitones, onsets_seen, seed, top_k, temperature, top_p):
        batch, steps, copies = tf.shape(fixed)[0], tf.shape(fixed)[1], tf.size(semitones)
        previous, held = tf.fill((batch, 4), chorale_lstm.START), tf.zeros((batch, 4), tf.int32)
        match, history = tf.zeros((batch, steps), tf.int32), tf.zeros((batch, steps, 4), tf.int32)
        states = model.initial_states(copies * batch)
        written = [tf.TensorArray(dtype, size=steps, element_shape=(None, 4))
                   for dtype in (tf.int32, tf.int32, tf.float32)]
        for step in tf.range(steps):
            beat, phrase, key = tf.unstack(tf.tile(context[:, step], (copies, 1)), axis=1)
            here = [beat, phrase, chorale_lstm.turned(key, tf.repeat(semitones, batch))]
            state, states = model.advance(_transposed(previous, semitones),
                                          tf.tile(held, (copies, 1)), here, states)
            recalled, length = memory.recall(match, history, step)
            trust = tf.transpose(tf.gather(model.trust[..., step % 2], length, axis=1))
            tokens, nats = _draw_voices(model, state, semitones, recalled, trust, fixed[:, step],
                                        (seed, 5 * step), temperature, top_p, top_k)
            onsets = _draw_onsets(model, state, semitones, tokens, previous, struck[:, step],
                                  (seed, 5 * step + 4), temperature, top_k)
            written = [array.write(step, row)
                       for array, row in zip(written, (tokens, onsets, nats), strict=True)]
            match, history = memory.remember(match, history, step, tokens)
            previous, held = (tf.ensure_shape(tokens, (None, 4)),
                              tf.ensure_shape(onsets_seen * (1 + onsets), (None, 4)))
        return [tf.transpose(array.stack(), (1, 0, 2)) for array in written]

    return loop
