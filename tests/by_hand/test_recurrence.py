"""The recurrent layers in NumPy: gradients as measured, and the same numbers as Keras."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.by_hand import recurrence
from course_utils.by_hand.convolution import numerical_gradient

SIZES = st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 3), st.integers(1, 4))
KINDS = ("simple RNN", "LSTM")
STATES = {"simple RNN": 1, "LSTM": 2}


def problem(kind, sizes, seed, dtype=np.float64):
    """Return x, weights, initial states and a gradient by the outputs, all random, for (batch,
    steps, features, units).
    """
    (batch, steps, features, units), rng = sizes, np.random.default_rng(seed)
    width = units if kind == "simple RNN" else 4 * units
    x = rng.normal(size=(batch, steps, features)).astype(dtype)
    weights = [0.7 * rng.normal(size=shape).astype(dtype)
               for shape in ((features, width), (units, width), (width,))]
    states = [rng.normal(size=(batch, units)).astype(dtype) for _ in range(STATES[kind])]
    return x, weights, states, rng.normal(size=(batch, steps, units)).astype(dtype)


def forward(kind, x, weights, states):
    """Return a tuple that begins with the history of h."""
    if kind == "LSTM":
        return recurrence.lstm_forward(x, weights, *states)
    return (recurrence.rnn_forward(x, weights, *states),)


def backward(kind, dh, x, weights, history):
    """Return the gradients by x, by each initial state and by each weight, in one list."""
    if kind == "LSTM":
        dx, dstates, dweights = recurrence.lstm_backward(dh, x, *history, weights)
        return [dx, *dstates, *dweights]
    dx, dh0, dweights = recurrence.rnn_backward(dh, x, *history, weights)
    return [dx, dh0, *dweights]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25)
@given(sizes=SIZES, seed=st.integers(0, 2**32 - 1))
def test_every_gradient_is_the_numerical_one(kind, sizes, seed):
    x, weights, states, dh = problem(kind, sizes, seed)

    def loss():
        return (forward(kind, x, weights, states)[0][:, 1:] * dh).sum()

    found = backward(kind, dh, x, weights, forward(kind, x, weights, states))
    for array, gradient in zip((x, *states, *weights), found, strict=True):
        assert gradient.shape == array.shape
        assert np.allclose(gradient, numerical_gradient(loss, array), rtol=1e-6, atol=1e-7)


@pytest.fixture(scope="module")
def keras_answers():
    """Return a function that gives a Keras layer's outputs, final states and gradients for the same
    numbers.
    """
    import keras
    import tensorflow as tf

    def answers(kind, x, weights, states, dh):
        layer_class = keras.layers.LSTM if kind == "LSTM" else keras.layers.SimpleRNN
        layer = layer_class(dh.shape[-1], return_sequences=True, return_state=True)
        layer.build(x.shape)
        layer.set_weights(weights)
        inputs = [tf.constant(array) for array in (x, *states)]
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs, *final = layer(inputs[0], initial_state=inputs[1:])
            loss = tf.reduce_sum(outputs * dh)
        gradients = tape.gradient(loss, [*inputs, *layer.trainable_weights])
        return (outputs.numpy(), [state.numpy() for state in final],
                [gradient.numpy() for gradient in gradients])

    return answers


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sizes", [(1, 1, 1, 1), (3, 7, 5, 6), (2, 40, 3, 8)])
def test_outputs_states_and_gradients_equal_those_of_keras(keras_answers, kind, sizes):
    x, weights, states, dh = problem(kind, sizes, 1, np.float32)
    outputs, final, gradients = keras_answers(kind, x, weights, states, dh)
    history = forward(kind, x, weights, states)
    assert np.abs(history[0][:, 1:] - outputs).max() < 1e-5
    for states_of, state in zip(history, final):
        assert np.abs(states_of[:, -1] - state).max() < 1e-5
    for mine, theirs in zip(backward(kind, dh, x, weights, history), gradients, strict=True):
        assert mine.dtype == np.float32 and mine.shape == theirs.shape
        assert np.abs(mine - theirs).max() < 1e-5 * max(1, np.abs(theirs).max())


@pytest.mark.parametrize("kind", KINDS)
def test_initial_weights_have_the_shapes_and_spread_of_keras(kind):
    import keras

    keras.utils.set_random_seed(0)
    layer = (keras.layers.LSTM if kind == "LSTM" else keras.layers.SimpleRNN)(32)
    layer.build((None, None, 20))
    draw = recurrence.lstm_weights if kind == "LSTM" else recurrence.rnn_weights
    mine, theirs = draw(20, 32, np.random.default_rng(0)), layer.get_weights()
    assert [w.shape for w in mine] == [w.shape for w in theirs]
    assert np.array_equal(mine[2], theirs[2])
    assert np.allclose([w.std() for w in mine[:2]], [w.std() for w in theirs[:2]], rtol=0.05)
    assert np.abs(mine[0]).max() <= np.sqrt(6 / sum(mine[0].shape))
    assert np.allclose(mine[1] @ mine[1].T, np.eye(32))


def test_scale_and_forget_bias_change_nothing_else():
    plain, scaled = (recurrence.rnn_weights(3, 4, np.random.default_rng(0), scale)
                     for scale in (1, 1.5))
    assert np.allclose(1.5 * plain[1], scaled[1]) and np.array_equal(plain[0], scaled[0])
    plain, open_ = (recurrence.lstm_weights(3, 4, np.random.default_rng(0), bias)
                    for bias in (1, 5))
    assert np.array_equal(open_[2] - plain[2], np.repeat([0, 4, 0, 0], 4))
    assert np.array_equal(plain[1], open_[1])


@pytest.mark.parametrize("kind", KINDS)
@given(sizes=SIZES, seed=st.integers(0, 2**32 - 1), cut=st.integers(1, 4))
def test_two_halves_with_the_state_carried_over_are_one_whole(kind, sizes, seed, cut):
    x, weights, states, _ = problem(kind, (sizes[0], 5, *sizes[2:]), seed)
    whole = forward(kind, x, weights, states)
    first = forward(kind, x[:, :cut], weights, states)
    second = forward(kind, x[:, cut:], weights,
                     [history[:, -1] for history in first[: len(states)]])
    assert np.allclose(whole[0], np.concatenate([first[0], second[0][:, 1:]], axis=1))


@pytest.mark.parametrize("kind", KINDS)
def test_the_future_changes_no_output_and_sends_no_gradient_to_its_own_future(kind):
    x, weights, states, dh = problem(kind, (2, 6, 3, 4), 0)
    before = forward(kind, x, weights, states)
    changed = x.copy()
    changed[:, 4] += 1
    after = forward(kind, changed, weights, states)
    assert np.array_equal(before[0][:, :5], after[0][:, :5])
    assert not np.allclose(before[0][:, 5], after[0][:, 5])
    dh[:, 3:] = 0
    dx = backward(kind, dh, x, weights, before)[0]
    assert dx[:, :3].all() and not dx[:, 3:].any()


@given(scale=st.floats(0.2, 2), steps=st.integers(2, 12))
def test_in_a_nearly_linear_rnn_gradients_shrink_by_the_scale_of_its_kernel(scale, steps):
    weights = recurrence.rnn_weights(3, 3, np.random.default_rng(0), scale)
    weights[0] = np.eye(3)
    x, h0 = np.zeros((1, steps, 3)), np.zeros((1, 3))
    dh = np.zeros((1, steps, 3))
    dh[0, -1, 0] = 1
    dx, dh0, _ = recurrence.rnn_backward(dh, x, recurrence.rnn_forward(x, weights, h0), weights)
    assert np.allclose(np.linalg.norm(dx[0], axis=1), scale ** np.arange(steps - 1, -1.0, -1))
    assert np.isclose(np.linalg.norm(dh0), scale**steps)


def test_an_lstm_with_open_forget_gates_keeps_what_it_holds():
    weights = [np.zeros((2, 12)), np.zeros((3, 12)), np.repeat([-50.0, 50.0, 0.0, 50.0], 3)]
    c0 = np.array([[0.3, -2.0, 0.0]])
    h, c, gates = recurrence.lstm_forward(np.ones((1, 200, 2)), weights, np.zeros((1, 3)), c0)
    assert np.allclose(c, c0) and np.allclose(h[:, 1:], np.tanh(c0))
    dh = np.zeros((1, 200, 3))
    dh[:, -1] = 1
    _, (_, dc0), _ = recurrence.lstm_backward(dh, np.ones((1, 200, 2)), h, c, gates, weights)
    assert np.allclose(dc0, 1 - np.tanh(c0) ** 2)


def test_sigmoid_holds_for_huge_numbers():
    a = np.linspace(-20, 20, 81)
    assert np.allclose(recurrence.sigmoid(a), 1 / (1 + np.exp(-a)), atol=1e-15)
    with np.errstate(all="raise"):
        assert recurrence.sigmoid(np.array([-1e300, 0, 1e300])).tolist() == [0, 0.5, 1]


GRADIENTS = st.lists(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=6), min_size=1,
                     max_size=4)


@settings(max_examples=50)
@given(lists=GRADIENTS, limit=st.floats(1e-3, 1e3))
def test_clipping_is_that_of_tensorflow(lists, limit):
    import tensorflow as tf

    gradients = [np.array(values, np.float32) for values in lists]
    before = [g.copy() for g in gradients]
    mine, (theirs, norm) = (recurrence.clip_by_global_norm(gradients, limit),
                            tf.clip_by_global_norm(gradients, limit))
    assert np.isclose(recurrence.global_norm(gradients), norm.numpy(), rtol=1e-5)
    for clipped, expected in zip(mine, theirs, strict=True):
        assert clipped.dtype == np.float32
        assert np.allclose(clipped, expected.numpy(), rtol=1e-5, atol=1e-6 * limit)
    assert all(np.array_equal(g, b) for g, b in zip(gradients, before))
    assert recurrence.global_norm(mine) <= limit * (1 + 1e-6)


@pytest.mark.parametrize("limit", [0.5, 1e4])
def test_clipping_is_that_of_a_keras_optimizer(limit):
    import keras

    gradients = [np.random.default_rng(k).normal(size=(3, k + 1)).astype(np.float32)
                 for k in range(3)]
    variables = [keras.Variable(np.zeros_like(g)) for g in gradients]
    keras.optimizers.SGD(1.0, global_clipnorm=limit).apply(gradients, variables)
    for variable, clipped in zip(variables, recurrence.clip_by_global_norm(gradients, limit)):
        assert np.allclose(-variable.numpy(), clipped, atol=1e-6)


def test_huge_float32_gradients_are_clipped_though_their_squares_overflow():
    clipped = recurrence.clip_by_global_norm([np.full(4, 1e30, np.float32)], 1.0)
    assert np.allclose(clipped[0], 0.5)


@pytest.mark.parametrize("gradients,limit",
                         [([np.ones(3)], 0), ([np.ones(3)], -1), ([np.ones(3)], np.nan),
                          ([np.array([1, np.nan])], 1), ([np.ones(2), np.array([np.inf])], 1)])
def test_what_cannot_be_clipped_is_refused(gradients, limit):
    with pytest.raises(ValueError, match="cannot be clipped to .* above 0; after NaN"):
        recurrence.clip_by_global_norm(gradients, limit)


WRONG = {"x without a batch axis": ("x", lambda a: a[0],
                                    r"\(5, 3\) does not fit: it should have the axes n, t, f"),
         "x without steps": ("x", lambda a: a[:, :0], r"\(2, 0, 3\)"),
         "x of whole numbers": ("x", lambda a: a.astype(int), "floats"),
         "x as a list": ("x", lambda a: a.tolist(), "not list"),
         "x with other features": ("x", lambda a: a[..., :2], "'f' is once 2 long, once 3"),
         "two weights": ("weights", lambda w: w[:2], "get_weights"),
         "a bias too short": ("weights", lambda w: [w[0], w[1], w[2][1:]], "do not fit together"),
         "a recurrent kernel too narrow": ("weights", lambda w: [w[0], w[1][:, :3], w[2]],
                                           "do not fit together"),
         "weights as lists": ("weights", lambda w: [a.tolist() for a in w], "not list"),
         "a state for one sequence": ("states", lambda s: [a[0] for a in s],
                                      r"\(4,\) does not fit: it should have the axes n, u"),
         "a state for other sequences": ("states", lambda s: [a[:1] for a in s],
                                         "'n' is once 2 long, once 1")}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", WRONG)
def test_forward_says_which_array_does_not_fit(kind, case):
    name, change, told = WRONG[case]
    x, weights, states, _ = problem(kind, (2, 5, 3, 4), 0)
    arrays = {"x": x, "weights": weights, "states": states}
    arrays[name] = change(arrays[name])
    with pytest.raises(ValueError, match=told):
        forward(kind, **arrays)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("change,told",
                         [(lambda dh: dh[:, -1], r"\(2, 4\) does not fit: .* n, t, u"),
                          (lambda dh: dh[:1], "'n' is once 2 long, once 1"),
                          (lambda dh: dh[:, :3], "'t' is once 5 long, once 3"),
                          (lambda dh: dh[..., :1], "'u' is once 4 long, once 1")])
def test_backward_refuses_other_gradients(kind, change, told):
    x, weights, states, dh = problem(kind, (2, 5, 3, 4), 0)
    with pytest.raises(ValueError, match=told):
        backward(kind, change(dh), x, weights, forward(kind, x, weights, states))


@pytest.mark.parametrize("kind", KINDS)
def test_backward_wants_the_first_state_too(kind):
    x, weights, states, dh = problem(kind, (2, 5, 3, 4), 0)
    outputs = [history[:, 1:] for history in forward(kind, x, weights, states)[: len(states)]]
    gates = forward(kind, x, weights, states)[2:]
    with pytest.raises(ValueError,
                       match="For 5 steps, h holds 6 states, the first included, not 5"):
        backward(kind, dh, x, weights, (*outputs, *gates))


def test_weights_of_the_other_kind_are_refused():
    x, lstm, (h0, c0), _ = problem("LSTM", (2, 5, 3, 4), 0)
    with pytest.raises(ValueError, match="'u' is once 16 long, once 4"):
        recurrence.rnn_forward(x, lstm, h0)
    with pytest.raises(ValueError, match="An LSTM of 4 units has weights for four gates side by "
                       "side, 16 columns, not 4"):
        recurrence.lstm_forward(x, problem("simple RNN", (2, 5, 3, 4), 0)[1], h0, c0)


@pytest.mark.parametrize("draw", [recurrence.rnn_weights, recurrence.lstm_weights])
@pytest.mark.parametrize("sizes", [(0, 4), (4, 0), (-1, 4)])
def test_layers_without_features_or_units_are_refused(draw, sizes):
    with pytest.raises(ValueError, match="at least 1"):
        draw(*sizes, np.random.default_rng(0))
