"""The layers and optimizers in NumPy: gradients as measured, the same numbers as Keras, and bad
input.
"""
import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from keras import layers

from course_utils.by_hand import convolution as conv

SEEDS = st.integers(0, 2**32 - 1)
STRIDES, PADDINGS = st.integers(1, 3), st.integers(0, 3)
# batch, time, width, channels, filters
SOUNDS = st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 5), st.integers(1, 3),
                   st.integers(1, 3))
# batch, height, width, filter height, filter width, channels, filters
PICTURES = st.tuples(st.integers(1, 2), st.integers(1, 6), st.integers(1, 5), st.integers(1, 3),
                     st.integers(1, 3), st.integers(1, 2), st.integers(1, 3))
LAYERS = {1: (conv.conv1d, conv.conv1d_backward), 2: (conv.conv2d, conv.conv2d_backward)}


def sound_problem(sizes, seed, dtype=np.float64):
    """Return random x, w and b of a 1-D convolution."""
    (batch, time, width, channels, filters), rng = sizes, np.random.default_rng(seed)
    return [rng.normal(size=shape).astype(dtype)
            for shape in ((batch, time, channels), (width, channels, filters), (filters,))]


def picture_problem(sizes, seed, dtype=np.float64):
    """Return random x, w and b of a 2-D convolution."""
    (batch, height, width, k, m, channels, filters), rng = sizes, np.random.default_rng(seed)
    shapes = (batch, height, width, channels), (k, m, channels, filters), (filters,)
    return [rng.normal(size=shape).astype(dtype) for shape in shapes]


def fits(x, w, padding):
    return all(length + 2 * padding >= width for length, width in zip(x.shape[1:-1], w.shape))


def assert_gradients_as_measured(forward, backward, arrays, seed):
    """Weigh the outputs by random numbers, so that the loss is one number, and change each input a
    little.
    """
    dy = np.random.default_rng(seed).normal(size=forward(*arrays).shape)
    found = backward(dy, *arrays)
    for array, gradient in zip(arrays, found if isinstance(found, tuple) else (found,),
                               strict=True):
        before = array.copy()
        measured = conv.numerical_gradient(lambda: float((dy * forward(*arrays)).sum()), array)
        assert np.array_equal(array, before)
        assert gradient.shape == array.shape
        assert np.abs(gradient - measured).max() <= 1e-6 * max(1, np.abs(measured).max())


def by_loops(x, w, b, stride, padding):
    """Follow the definition: one output at a time, one product at a time."""
    axes = x.ndim - 2
    padded = np.zeros((len(x), *(n + 2 * padding for n in x.shape[1:-1]), x.shape[-1]))
    padded[(slice(None), *(slice(padding, padding + n) for n in x.shape[1:-1]))] = x
    steps = [(n - k) // stride + 1 for n, k in zip(padded.shape[1:-1], w.shape)]
    y = np.zeros((len(x), *steps, w.shape[-1]))
    for n, *place, f in np.ndindex(y.shape):
        total = b[f]
        for *k, c in np.ndindex(w.shape[:-1]):
            total += (padded[(n, *(stride * place[a] + k[a] for a in range(axes)), c)]
                      * w[(*k, c, f)])
        y[(n, *place, f)] = total
    return y


@settings(max_examples=40)
@given(sizes=SOUNDS, stride=STRIDES, padding=PADDINGS, seed=SEEDS)
def test_convolution_of_sound_follows_its_definition_and_has_its_gradients(sizes, stride, padding,
                                                                           seed):
    x, w, b = sound_problem(sizes, seed)
    assume(fits(x, w, padding))
    assert np.allclose(conv.conv1d(x, w, b, stride, padding), by_loops(x, w, b, stride, padding),
                       atol=1e-12)
    assert_gradients_as_measured(lambda x, w, b: conv.conv1d(x, w, b, stride, padding), lambda dy,
                                 x, w, b: conv.conv1d_backward(dy, x, w, stride, padding),
                                 [x, w, b], seed)


@settings(max_examples=25)
@given(sizes=PICTURES, stride=STRIDES, padding=st.integers(0, 2), seed=SEEDS)
def test_convolution_of_pictures_follows_its_definition_and_has_its_gradients(sizes, stride,
    padding, seed):
    x, w, b = picture_problem(sizes, seed)
    assume(fits(x, w, padding))
    assert np.allclose(conv.conv2d(x, w, b, stride, padding), by_loops(x, w, b, stride, padding),
                       atol=1e-12)
    assert_gradients_as_measured(lambda x, w, b: conv.conv2d(x, w, b, stride, padding), lambda dy,
                                 x, w, b: conv.conv2d_backward(dy, x, w, stride, padding),
                                 [x, w, b], seed)


@settings(max_examples=25)
@given(shape=st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 3)),
       size=st.integers(1, 4), seed=SEEDS)
def test_pooling_and_relu_have_their_gradients(shape, size, seed):
    # Whole numbers in a random order: no two alike, and none so near 0 or to its neighbour that the
    # small step changes sides.
    x = (np.random.default_rng(seed).permutation(np.prod(shape)).reshape(shape) - np.prod(shape) / 2
         + 0.25)
    assert_gradients_as_measured(conv.relu, conv.relu_backward, [x], seed)
    assume(size <= shape[1])
    assert_gradients_as_measured(lambda x: conv.max_pool(x, size), lambda dy,
                                 x: conv.max_pool_backward(dy, x, size), [x], seed)


@settings(max_examples=25)
@given(sizes=st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 4)), seed=SEEDS)
def test_dense_and_cross_entropy_have_their_gradients(sizes, seed):
    (batch, inputs, outputs), rng = sizes, np.random.default_rng(seed)
    arrays = [rng.normal(size=shape) for shape in ((batch, inputs), (inputs, outputs), (outputs,))]
    assert_gradients_as_measured(conv.dense, lambda dy, x, w, b: conv.dense_backward(dy, x, w),
                                 arrays, seed)
    logits, labels = rng.normal(size=(batch, outputs)), rng.integers(outputs, size=batch)
    measured = conv.numerical_gradient(lambda: conv.cross_entropy(logits, labels), logits)
    assert np.allclose(conv.cross_entropy_backward(logits, labels), measured, atol=1e-8)


def in_keras(layer, x, weights=()):
    """Return a Keras layer's output, and a function that gives the gradients by x and by the
    weights for dy.
    """
    layer.build(x.shape)
    layer.set_weights(list(weights))
    x = tf.constant(x)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = layer(x)
    return (y.numpy(), lambda dy: [g.numpy()
                                   for g in tape.gradient(y, [x, *layer.trainable_variables],
                                                          tf.constant(dy))])


def assert_close(found, expected):
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected):
        assert ours.shape == theirs.shape and ours.dtype == theirs.dtype == np.float32
        assert np.abs(ours - theirs).max() <= 1e-5 * max(1, np.abs(theirs).max())


@settings(max_examples=15)
@given(data=st.data(), dimensions=st.sampled_from([1, 2]), stride=STRIDES, padding=PADDINGS,
       seed=SEEDS)
def test_convolution_is_that_of_keras(data, dimensions, stride, padding, seed):
    problem = sound_problem if dimensions == 1 else picture_problem
    x, w, b = problem(data.draw(SOUNDS if dimensions == 1 else PICTURES), seed, np.float32)
    assume(fits(x, w, padding))
    forward, backward = LAYERS[dimensions]
    layer = (layers.Conv1D, layers.Conv2D)[dimensions - 1](w.shape[-1], w.shape[:-2],
                                                           strides=stride)
    around = [(0, 0), *dimensions * [(padding, padding)], (0, 0)]
    y, gradients = in_keras(layer, np.pad(x, around), [w, b])
    dy = np.random.default_rng(seed).normal(size=y.shape).astype(np.float32)
    assert_close([forward(x, w, b, stride, padding)], [y])
    dx, *others = gradients(dy)
    inside = tuple(slice(before, before + length) for (before, _), length in zip(around, x.shape))
    assert_close(backward(dy, x, w, stride, padding), [dx[inside], *others])


@pytest.mark.parametrize("time,size", [(8, 2), (9, 2), (9, 4), (5, 5), (3, 1)])
def test_pooling_is_that_of_keras(time, size):
    x = np.random.default_rng(time).normal(size=(2, time, 3)).astype(np.float32)
    y, gradients = in_keras(layers.MaxPooling1D(size), x)
    dy = np.random.default_rng(size).normal(size=y.shape).astype(np.float32)
    assert_close([conv.max_pool(x, size), conv.max_pool_backward(dy, x, size)], [y, *gradients(dy)])


def test_pooling_both_axes_of_pictures_is_that_of_keras():
    x = np.random.default_rng(0).normal(size=(2, 7, 6, 3)).astype(np.float32)
    y, gradients = in_keras(layers.MaxPooling2D(2), x)
    dy = np.random.default_rng(1).normal(size=y.shape).astype(np.float32)
    rows = conv.max_pool(x, 2).swapaxes(1, 2)
    drows = conv.max_pool_backward(dy.swapaxes(1, 2), rows, 2)
    assert_close([conv.max_pool(rows, 2).swapaxes(1, 2),
                  conv.max_pool_backward(drows.swapaxes(1, 2), x, 2)], [y, *gradients(dy)])


def test_of_equals_in_a_group_the_first_gets_the_gradient():
    x = np.zeros((1, 6, 1))
    assert conv.max_pool_backward(np.ones((1, 3, 1)), x, 2)[0, :, 0].tolist() == [1, 0, 1, 0, 1, 0]


def test_dense_relu_and_softmax_are_those_of_keras():
    rng = np.random.default_rng(0)
    x, w, b, dy = (rng.normal(size=shape).astype(np.float32)
                   for shape in ((4, 5), (5, 3), (3,), (4, 3)))
    y, gradients = in_keras(layers.Dense(3), x, [w, b])
    assert_close([conv.dense(x, w, b), *conv.dense_backward(dy, x, w)], [y, *gradients(dy)])
    # exactly 0 once, where Keras passes no gradient either
    y, gradients = in_keras(layers.ReLU(), x - x[0, 0])
    dy = rng.normal(size=x.shape).astype(np.float32)
    assert_close([conv.relu(x - x[0, 0]), conv.relu_backward(dy, x - x[0, 0])], [y, *gradients(dy)])
    assert_close([conv.softmax(x)], [layers.Softmax()(x).numpy()])


@pytest.mark.parametrize("scale", [1, 30, 1e4])
def test_cross_entropy_is_that_of_keras_however_large_the_logits(scale):
    rng = np.random.default_rng(0)
    logits, labels = (scale * rng.normal(size=(6, 4))).astype(np.float32), rng.integers(4, size=6)
    with tf.GradientTape() as tape:
        watched = tf.Variable(logits)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(labels, watched)
    assert conv.cross_entropy(logits, labels) == pytest.approx(float(loss), rel=1e-5)
    assert_close([conv.cross_entropy_backward(logits, labels)],
                 [tape.gradient(loss, watched).numpy()])


def test_softmax_gives_probabilities_and_ignores_what_is_added_to_all():
    logits = np.array([[1000.0, 1001.0], [-1000.0, -1001.0], [0.0, 0.0]])
    p = conv.softmax(logits)
    assert np.allclose(p.sum(axis=1), 1) and np.allclose(p[0], p[1][::-1])
    assert p[2].tolist() == [0.5, 0.5]


@settings(max_examples=15)
@given(rate=st.floats(1e-4, 1.0), scale=st.floats(1e-6, 1e3),
       betas=st.sampled_from([(0.9, 0.999), (0.5, 0.9), (0.0, 0.99)]), seed=SEEDS)
def test_optimizers_move_weights_as_those_of_keras_do(rate, scale, betas, seed):
    rng = np.random.default_rng(seed)
    start = [rng.normal(size=shape).astype(np.float32) for shape in ((3, 2), (2,))]
    steps = [[(scale * rng.normal(size=w.shape)).astype(np.float32) for w in start]
             for _ in range(5)]
    for ours, theirs in ((conv.SGD(rate), keras.optimizers.SGD(rate)),
                         (conv.Adam(rate, *betas), keras.optimizers.Adam(rate, *betas))):
        weights, variables = [w.copy() for w in start], [keras.Variable(w) for w in start]
        for gradients in steps:
            ours.update(weights, gradients)
            theirs.apply([tf.constant(g) for g in gradients], variables)
            assert_close(weights, [variable.numpy() for variable in variables])


def test_adam_takes_steps_of_its_learning_rate_however_small_the_gradient():
    for size in (1e-3, 1e3):
        w = np.zeros(3)
        conv.Adam(0.1).update([w], [size * np.array([1.0, -2.0, 0.0])])
        assert np.allclose(w, [-0.1, 0.1, 0], atol=1e-3)


def test_a_network_put_together_learns():
    rng = np.random.default_rng(0)
    labels = rng.integers(2, size=64)
    x = np.sin(np.arange(64) * (0.3 + 0.5 * labels[:, None])
               + rng.uniform(0, 6, (64, 1)))[..., None]
    weights = [0.3 * rng.normal(size=(8, 1, 4)), np.zeros(4), 0.3 * rng.normal(size=(4, 2)),
               np.zeros(2)]
    losses = []
    for optimizer in 60 * [conv.Adam(0.02)]:
        y = conv.conv1d(x, *weights[:2])
        pooled = conv.max_pool(conv.relu(y), y.shape[1])
        logits = conv.dense(pooled[:, 0], *weights[2:])
        losses.append(conv.cross_entropy(logits, labels))
        dpooled, *dense = conv.dense_backward(conv.cross_entropy_backward(logits, labels),
                                              pooled[:, 0], weights[2])
        dy = conv.relu_backward(conv.max_pool_backward(dpooled[:, None], conv.relu(y), y.shape[1]),
                                y)
        optimizer.update(weights, [*conv.conv1d_backward(dy, x, weights[0])[1:], *dense])
    assert losses[0] > 0.5 and losses[-1] < 0.1


X, W, B, DY = np.ones((2, 9, 3)), np.ones((4, 3, 5)), np.ones(5), np.ones((2, 6, 5))
PICTURE, FILTER = np.ones((2, 9, 8, 3)), np.ones((4, 4, 3, 5))
LOGITS = np.ones((2, 3))
BAD = {"no batch axis": (lambda: conv.conv1d(X[0], W, B), "axes n, t, c"),
       "a picture": (lambda: conv.conv1d(PICTURE, W, B), "axes n, t, c"),
       "a list": (lambda: conv.conv1d(X.tolist(), W, B), "not list"),
       "whole numbers": (lambda: conv.conv1d(X.astype(int), W, B), "floats, not an array of int64"),
       "other channels": (lambda: conv.conv1d(X[..., :1], W, B), "'c' is once 1 long, once 3"),
       "one bias for all": (lambda: conv.conv1d(X, W, B[:1]), "'f' is once 5 long, once 1"),
       "no examples": (lambda: conv.conv1d(X[:0], W, B), "none of them empty"),
       "a filter too long": (lambda: conv.conv1d(X[:, :3], W, B), "shorter filter or more padding"),
       "stride 0": (lambda: conv.conv1d(X, W, B, stride=0), "stride is a whole number from 1"),
       "a stride of a half": (lambda: conv.conv1d(X, W, B, stride=0.5), "stride is a whole number"),
       "padding by name": (lambda: conv.conv1d(X, W, B, padding="same"),
                           "padding is a whole number from 0 on, not 'same'"),
       "negative padding": (lambda: conv.conv1d(X, W, B, padding=-1), "padding is a whole number"),
       "dy of another stride": (lambda: conv.conv1d_backward(DY, X, W, stride=2),
                                "Were stride and padding the same"),
       "dy with one step": (lambda: conv.conv1d_backward(DY[:, :1], X, W),
                            "Were stride and padding the same"),
       "dy of one filter": (lambda: conv.conv1d_backward(DY[..., :1], X, W),
                            "'f' is once 5 long, once 1"),
       "sound as a picture": (lambda: conv.conv2d(X, FILTER, B), "axes n, h, w, c"),
       "a filter too high": (lambda: conv.conv2d(PICTURE[:, :2], FILTER, B), "shorter filter"),
       "dy of another picture":
       (lambda: conv.conv2d_backward(np.ones((2, 6, 6, 5)), PICTURE, FILTER), "Were stride"),
       "a gradient of another shape": (lambda: conv.relu_backward(DY, DY[:1]),
                                       "should be the same"),
       "groups too large": (lambda: conv.max_pool(X, 10), "Groups of 10 do not fit into 9 steps"),
       "groups of nothing": (lambda: conv.max_pool(X, 0), "size is a whole number from 1"),
       "pooling without time": (lambda: conv.max_pool(np.ones(4), 2), "axes n, t"),
       "dy of other groups": (lambda: conv.max_pool_backward(DY, X, 2), "should be the same"),
       "dense over time": (lambda: conv.dense(X, np.ones((3, 2)), np.ones(2)), "axes n, i"),
       "other inputs": (lambda: conv.dense(LOGITS, np.ones((4, 2)), np.ones(2)),
                        "'i' is once 3 long, once 4"),
       "dy of other outputs": (lambda: conv.dense_backward(LOGITS, LOGITS, np.ones((3, 2))),
                               "'o' is once 3 long, once 2"),
       "a label too many": (lambda: conv.cross_entropy(LOGITS, np.array([0, 1, 2])),
                            "2 rows of logits"),
       "labels one-hot": (lambda: conv.cross_entropy(LOGITS, np.eye(2)), "float64 of shape (2, 2)"),
       "a class there is not": (lambda: conv.cross_entropy_backward(LOGITS, np.array([0, 3])),
                                "from 0 to 2 here, not from 0 to 3"),
       "a negative class": (lambda: conv.cross_entropy(LOGITS, np.array([0, -1])),
                            "not from -1 to 0"),
       "a gradient too few": (lambda: conv.SGD().update([W, B], [W]), "same network"),
       "no gradients": (lambda: conv.SGD().update([W], []), "same network"),
       "gradients of another shape": (lambda: conv.Adam().update([W, B], [W, B[:1]]),
                                      "same network"),
       "single precision": (lambda: conv.numerical_gradient(lambda: 0.0, X.astype(np.float32)),
                            "float64 only, not in float32")}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_told_what_to_do(name):
    attempt, told = BAD[name]
    with pytest.raises(ValueError) as error:
        attempt()
    assert told in str(error.value) and "\n" not in str(error.value)


def test_adam_keeps_to_one_network():
    optimizer, w = conv.Adam(), np.ones((2, 2))
    optimizer.update([w], [w])
    with pytest.raises(ValueError, match="same network"):
        optimizer.update([np.ones(3)], [np.ones(3)])


def test_inputs_stay_as_they_were():
    rng = np.random.default_rng(0)
    x, w, b = rng.normal(size=(2, 9, 3)), rng.normal(size=(4, 3, 5)), rng.normal(size=5)
    y = conv.conv1d(x, w, b)
    before = [a.copy() for a in (x, w, b, y)]
    conv.conv1d_backward(y, x, w)
    conv.relu_backward(y, y), conv.max_pool_backward(y[:, :3], y,
                                                     2), conv.cross_entropy_backward(y[0],
        np.zeros(6, int))
    assert all(np.array_equal(a, kept) for a, kept in zip((x, w, b, y), before))
