"""GAN losses equal hand-computed values, their theory holds, the penalty has its closed form, and
NumPy and TensorFlow agree.
"""
import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import training
from course_utils.by_hand import adversarial
from course_utils.by_hand.convolution import SGD, Adam, numerical_gradient, relu
from course_utils.by_hand.recurrence import sigmoid
from course_utils.gan import losses, toy_gan

REAL, FAKE = tf.constant([[2.0], [-1.0]]), tf.constant([[0.0], [3.0]])


def test_losses_equal_values_computed_by_hand():
    d_real, d_fake = 1 / (1 + np.exp([-2.0, 1.0])), 1 / (1 + np.exp([0.0, -3.0]))
    assert float(losses.discriminator_loss(REAL, FAKE)) == pytest.approx(-np.log(d_real).mean()
                                                                         - np.log(1
        - d_fake).mean())
    assert float(losses.saturating_loss(FAKE)) == pytest.approx(np.log(1 - d_fake).mean())
    assert float(losses.non_saturating_loss(FAKE)) == pytest.approx(-np.log(d_fake).mean())
    assert float(losses.critic_loss(REAL, FAKE)) == pytest.approx(1.5 - 0.5)
    assert float(losses.wasserstein_loss(FAKE)) == pytest.approx(-1.5)


def test_a_guessing_discriminator_loses_two_log_two():
    assert float(losses.discriminator_loss(tf.zeros((5, 1)),
                                           tf.zeros((7, 1)))) == pytest.approx(2 * np.log(2))


@pytest.mark.parametrize("loss", [losses.saturating_loss, losses.non_saturating_loss])
def test_losses_of_extreme_logits_stay_finite(loss):
    logits = tf.Variable([[-1000.0], [1000.0]])
    with tf.GradientTape() as tape:
        value = loss(logits)
    assert np.isfinite(value) and np.isfinite(tape.gradient(value, logits)).all()


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-15, 15), min_size=1, max_size=6))
def test_gradients_by_the_logits_are_those_of_the_notebook(logits):
    a = tf.Variable(np.array(logits)[:, None])
    with tf.GradientTape(persistent=True) as tape:
        saturating, other = losses.saturating_loss(a), losses.non_saturating_loss(a)
    d = sigmoid(a.numpy()) / len(logits)
    assert np.allclose(tape.gradient(saturating, a), -d, atol=1e-12)
    assert np.allclose(tape.gradient(other, a), d - 1 / len(logits), atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=2, max_size=6),
       st.floats(-2, 2))
def test_the_best_discriminator_wins_and_the_value_is_the_jensen_shannon_divergence(counts, change):
    real, fake = np.array(counts).T
    p, q = real / real.sum(), fake / fake.sum()

    def value(logits):
        """Return V of batches in which every place turns up as often as its counts say."""
        return -float(losses.discriminator_loss(tf.constant(np.repeat(logits, real)),
                                                tf.constant(np.repeat(logits, fake))))

    best, m = np.log(p / q), (p + q) / 2
    jsd = (p * np.log(p / m) + q * np.log(q / m)).sum() / 2
    assert np.allclose(sigmoid(best), p / (p + q))
    assert value(best) == pytest.approx(2 * jsd - np.log(4), abs=1e-9)
    assert value(best + change * np.arange(len(p))) <= value(best) + 1e-9
    assert -1e-9 <= jsd <= np.log(2)


@pytest.mark.parametrize("shape", [(7, 2), (1, 3), (4, 5, 3), (3, 2, 4, 1)])
def test_penalty_of_a_linear_critic_has_a_closed_form(shape):
    rng = np.random.default_rng(0)
    w = rng.normal(size=shape[1:])
    real, fake = (tf.constant(rng.normal(size=shape)) for _ in range(2))
    penalty = losses.gradient_penalty(lambda x: tf.reduce_sum(x * w, axis=range(1, len(shape))),
                                      real, fake, tf.constant(rng.random(shape[0])))
    assert float(penalty) == pytest.approx((np.linalg.norm(w) - 1) ** 2, rel=1e-6)


def test_penalty_looks_at_the_places_that_mix_says():
    real, fake = tf.constant([[0.0, 0.0], [4.0, 0.0]]), tf.constant([[2.0, 0.0], [0.0, 0.0]])
    mix = tf.constant([0.25, 0.75])
    places = np.array([0.5, 1.0])
    penalty = losses.gradient_penalty(lambda x: x[:, :1] ** 3, real, fake, mix)
    assert float(penalty) == pytest.approx(((3 * places**2 - 1) ** 2).mean(), rel=1e-5)


def test_penalty_has_a_finite_gradient_where_the_critic_is_flat():
    w = tf.Variable([[0.0], [0.0]])
    with tf.GradientTape() as tape:
        penalty = losses.gradient_penalty(lambda x: x @ w, tf.ones((3, 2)), tf.zeros((3, 2)),
                                          tf.constant([0.1, 0.5, 0.9]))
    assert float(penalty) == pytest.approx(1, abs=1e-5)
    assert np.isfinite(tape.gradient(penalty, w)).all()


@pytest.mark.parametrize("fake,mix",
                         [((1, 2), (4,)), ((4, 3), (4,)), ((4, 2), (1,)), ((4, 2), (4, 1)),
                          ((4, 2), (8,))])
def test_penalty_refuses_what_would_be_stretched_to_fit(fake, mix):
    with pytest.raises(ValueError, match="same shape"):
        losses.gradient_penalty(lambda x: x, tf.zeros((4, 2)), tf.zeros(fake), tf.zeros(mix))


def test_penalty_takes_batches_of_any_length_in_a_graph():
    @tf.function(input_signature=[tf.TensorSpec((None, 2)), tf.TensorSpec((None, 2)),
                                  tf.TensorSpec((None,))])
    def penalty(real, fake, mix):
        return losses.gradient_penalty(lambda x: 2 * x[:, :1], real, fake, mix)

    assert all(float(penalty(tf.zeros((n, 2)), tf.ones((n, 2)), tf.zeros(n))) == pytest.approx(1)
               for n in (1, 5))


def test_penalty_pulls_a_linear_critic_to_slope_one():
    w, rng = tf.Variable([[3.0], [4.0]]), np.random.default_rng(0)
    for _ in range(60):
        real, fake = (tf.constant(rng.normal(size=(8, 2)), tf.float32) for _ in range(2))
        with tf.GradientTape() as tape:
            penalty = losses.gradient_penalty(lambda x: x @ w, real, fake,
                                              tf.constant(rng.random(8), tf.float32))
        w.assign_sub(0.1 * tape.gradient(penalty, w))
    assert np.linalg.norm(w) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("losses,named",
                         [({"critic": np.nan, "generator": 1.0}, "of the critic is"),
                          ({"critic": 0.0, "generator": np.inf}, "of the generator is"),
                          ({"critic": np.nan, "generator": -np.inf},
                           "of the critic and the generator is")])
def test_guard_names_the_step_the_loss_and_what_to_do(losses, named):
    with pytest.raises(FloatingPointError,
                       match=rf"after 12 steps.*{named} not finite.*lower learning rate"):
        training.stop_if_diverged(12, **losses)


def test_guard_lets_finite_losses_pass():
    assert training.stop_if_diverged(1, critic=-1e30, generator=0.0) is None


def small_networks(rng):
    return adversarial.mlp_weights([2, 5, 4, 2], rng), adversarial.mlp_weights([2, 6, 1], rng)


def test_gradients_equal_measured_ones():
    rng = np.random.default_rng(1)
    generator, discriminator = small_networks(rng)
    real, z = rng.normal(size=(7, 2)), rng.normal(size=(7, 2))

    def logits(points):
        return adversarial.forward(points, discriminator, relu)[0]

    def fake():
        return adversarial.forward(z, generator, np.tanh)[0]

    made = fake()
    losses = ((discriminator, adversarial.discriminator_gradients(real, made, discriminator),
               lambda: -np.log(sigmoid(logits(real))).mean()
               - np.log(1 - sigmoid(logits(made))).mean()),
              (generator, adversarial.generator_gradients(z, generator, discriminator),
               lambda: -np.log(sigmoid(logits(fake()))).mean()))
    for weights, gradients, loss in losses:
        for w, gradient in zip(weights, gradients, strict=True):
            assert np.allclose(gradient, numerical_gradient(loss, w), atol=1e-7)


def both_ways(units, batch, ours, keras_optimizer, rounds=3):
    """Take the same steps by hand and with Keras; return how far apart all weights end, and how far
    they have moved.
    """
    rng = np.random.default_rng(5)
    keras.utils.set_random_seed(5)
    theirs = toy_gan.toy_networks(units, dtype="float64")
    before, mine = ([[w.copy() for w in network.get_weights()] for network in theirs]
                    for _ in range(2))
    hands, optimizers = [ours(), ours()], [keras_optimizer(), keras_optimizer()]
    for optimizer, network in zip(optimizers, theirs):
        optimizer.build(network.trainable_variables)
    critic_step, generator_step = toy_gan.make_steps(theirs, toy_gan.GAMES["non-saturating"],
                                                     optimizers)
    for _ in range(rounds):
        real, z = rng.normal(size=(batch, 2)), rng.normal(size=(batch, 2))
        fake, _ = adversarial.forward(z, mine[0], np.tanh)
        hands[1].update(mine[1], adversarial.discriminator_gradients(real, fake, mine[1]))
        hands[0].update(mine[0], adversarial.generator_gradients(z, *mine))
        critic_step(real, z, None)
        generator_step(z)
    apart = [np.abs(w - k).max() for m, network in zip(mine, theirs)
             for w, k in zip(m, network.get_weights(), strict=True)]
    moved = [max(np.abs(w - k).max() for w, k in zip(*pair)) for pair in zip(mine, before)]
    return max(apart), min(moved)


# Keras keeps the settings of Adam in single precision, which its usual 0.999 suffers from more than
# 0.9.
@pytest.mark.parametrize("units,batch", [(32, 128), (3, 1), (5, 7)])
def test_steps_by_hand_equal_those_of_keras(units, batch):
    apart, moved = both_ways(units, batch, lambda: Adam(0.001, 0.5, 0.9),
                             lambda: keras.optimizers.Adam(0.001, 0.5, 0.9))
    assert apart < 1e-5 and moved > 1e-4
    apart, moved = both_ways(units, batch, lambda: SGD(0.1), lambda: keras.optimizers.SGD(0.1))
    assert apart < 1e-8 and moved > 1e-4


def test_backward_returns_the_gradient_by_the_inputs():
    rng = np.random.default_rng(2)
    weights, x, dy = (adversarial.mlp_weights([3, 4, 4, 2], rng), rng.normal(size=(5, 3)),
                      rng.normal(size=(5, 2)))
    _, kept = adversarial.forward(x, weights, np.tanh)
    dx, _ = adversarial.backward(dy, kept, weights, adversarial.tanh_backward)
    assert np.allclose(dx,
                       numerical_gradient(lambda: (adversarial.forward(x, weights, np.tanh)[0]
                                                   * dy).sum(), x), atol=1e-7)


def test_initial_weights_are_those_of_keras_in_kind():
    weights = adversarial.mlp_weights([300, 200, 1], np.random.default_rng(0))
    assert [w.shape for w in weights] == [(300, 200), (200,), (200, 1), (1,)]
    limit = np.sqrt(6 / 500)
    assert 0.99 * limit < np.abs(weights[0]).max() <= limit and not weights[1].any()


@pytest.mark.parametrize("sizes", [[2], [], [2, 0, 1]])
def test_networks_without_a_layer_are_refused(sizes):
    with pytest.raises(ValueError, match="inputs and its outputs"):
        adversarial.mlp_weights(sizes, np.random.default_rng(0))


def test_batches_that_do_not_fit_are_refused():
    generator, discriminator = small_networks(np.random.default_rng(0))
    with pytest.raises(ValueError, match="should be the same"):
        adversarial.discriminator_gradients(np.zeros((4, 2)), np.zeros((3, 2)), discriminator)
    with pytest.raises(ValueError, match="do not fit"):
        adversarial.generator_gradients(np.zeros((4, 3)), generator, discriminator)
