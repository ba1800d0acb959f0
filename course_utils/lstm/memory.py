"""A memory of the piece's own past, beside the network: what followed the last time that the music
went like this.

Grave et al. (2017), "Improving neural language models with a continuous cache", with exact matches
in place of similar states.
"""
import numpy as np
import tensorflow as tf

from course_utils.scores import STEPS_PER_QUARTER

# agreements are told apart by these lower bounds, in sixteenths
LENGTHS = (1, 3, 5, 9, 13, 17, 25, 33, 49)


def longest_match(tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find, for each step, the earlier step that follows the longest repetition of what has just
    been heard.

    A match lies a whole number of quarters earlier and repeats all four voices exactly; of equally
    long ones the latest counts.

    Args:
        tokens: (steps, 4) int.

    Returns:
        position (steps,) int, the step that may be repeated now, and length (steps,) int, how many
        steps before it agree (0: none, and the position says nothing).
    """
    steps = len(tokens)
    places, match = np.arange(steps), np.zeros(steps, int)
    position, length = np.zeros(steps, int), np.zeros(steps, int)
    for step in range(steps):
        usable = np.where((places < step) & ((step - places) % STEPS_PER_QUARTER == 0), match, 0)
        position[step] = np.argmax(usable * steps + places)
        length[step] = usable[position[step]]
        same = (tokens == tokens[step]).all(axis=1) & (places < step)
        match[1:] = np.where(same, match + 1, 0)[:-1]
    return position, length


def recall(match, history, step):
    """Do the same inside a compiled loop, one step at a time and for a batch of pieces.

    Returns the tokens that followed last time (batch, 4), and how long it agrees (batch,): 0 not at
    all, 1 and up as in LENGTHS.
    """
    places = tf.range(tf.shape(match)[1])
    usable = tf.where((places < step) & ((step - places) % STEPS_PER_QUARTER == 0), match, 0)
    best = tf.argmax(usable * tf.shape(match)[1] + places, axis=1, output_type=tf.int32)
    length = tf.gather(usable, best, batch_dims=1)
    agreeing = tf.reduce_sum(tf.cast(length[:, None] >= np.array(LENGTHS, np.int32), tf.int32),
                             axis=1)
    return tf.gather(history, best, batch_dims=1), agreeing


def remember(match, history, step, tokens):
    """Take up one step's tokens (batch, 4): return `match` and `history` for the next step.

    match (batch, steps) counts how many steps before each place agree with the latest ones; history
    is (batch, steps, 4).
    """
    places = tf.range(tf.shape(history)[1])
    same = tf.reduce_all(history == tokens[:, None], axis=-1) & (places < step)
    grown = tf.where(same, match + 1, 0)
    return (tf.pad(grown[:, :-1], [[0, 0], [1, 0]]),
            tf.where((places == step)[:, None], tokens[:, None], history))


def fit_trust(nats: list[np.ndarray], tokens: list[np.ndarray], order: tuple[int, ...],
              rounds: int = 40) -> np.ndarray:
    """Fit by expectation maximisation how far to trust the memory, by voice, length of agreement
    and place in the quarter.

    Args:
        nats: (steps, 4) of each piece, negative log-likelihoods of its notes under the network
            alone.
        tokens: (steps, 4) of each piece.
        order: in which the voices are chosen; once one leaves the memory, the later ones of that
            step do not ask it.
        rounds: steps of expectation maximisation; each raises the likelihood.

    Returns:
        (4, 1 + len(LENGTHS), 2) float32: the weight of the memory in the mixture.
    """
    hits, agreeing, odd = [], [], []
    for piece in tokens:
        position, length = longest_match(piece)
        hits.append(piece[position] == piece)
        agreeing.append(np.digitize(length, LENGTHS))
        odd.append(np.arange(len(piece)) % 2)
    hit, group, p = (np.concatenate(hits),
                     np.stack([np.concatenate(agreeing), np.concatenate(odd)]),
                     np.exp(-np.concatenate(nats)))
    trust, asked = np.zeros((4, 1 + len(LENGTHS), 2), np.float32), group[0] > 0
    for voice in order:
        for length, place in np.ndindex(trust.shape[1:]):
            rows = asked & (group[0] == length) & (group[1] == place)
            if rows.any():
                trust[voice, length, place] = _weight(p[rows, voice], hit[rows, voice], rounds)
        asked = asked & hit[:, voice]
    return trust


def _weight(p: np.ndarray, hit: np.ndarray, rounds: int) -> float:
    """Return the share of a point mass, right where `hit`, that best complements probabilities
    `p`.
    """
    weight = 0.1
    for _ in range(rounds):
        weight = np.mean(weight * hit / (weight * hit + (1 - weight) * p))
    return min(float(weight), 0.999)
