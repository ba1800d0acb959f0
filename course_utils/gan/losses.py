"""Losses of generative adversarial networks.

Logits and scores are what a discriminator or critic returns, (batch, 1) or (batch,), without a
sigmoid. Every loss is a mean over the batch, and is to be made small.
"""
from collections.abc import Callable

import numpy as np
import tensorflow as tf


def discriminator_loss(real_logits, fake_logits):
    """Return -mean log D(real) - mean log(1 - D(fake)), where D is the sigmoid of the logits.

    Notebook: 09_gan_from_scratch (written out)

    Source: Goodfellow et al., Generative adversarial nets (2014), equation 1.

    Args:
        real_logits: tensor of logits of data.
        fake_logits: tensor of logits of what the generator made.

    Returns:
        A scalar tensor, at least 0; 2 log 2 where both are guessed.
    """
    return (tf.reduce_mean(tf.nn.softplus(-real_logits))
            + tf.reduce_mean(tf.nn.softplus(fake_logits)))


def saturating_loss(fake_logits):
    """Return mean log(1 - D(fake)), the generator's half of the minimax game.

    Notebook: 09_gan_from_scratch (written out)

    Its gradient vanishes where the discriminator is sure.
    """
    return -tf.reduce_mean(tf.nn.softplus(fake_logits))


def non_saturating_loss(fake_logits):
    """Return -mean log D(fake), whose gradient is largest where the discriminator is sure.

    Notebook: 09_gan_from_scratch (written out)
    """
    return tf.reduce_mean(tf.nn.softplus(-fake_logits))


def critic_loss(real_scores, fake_scores):
    """Return mean f(fake) - mean f(real): its negative is an estimate of the Wasserstein distance
    from below, as long as the critic f is nowhere steeper than 1.

    Notebook: 09_gan_from_scratch (written out)

    Source: Arjovsky et al., Wasserstein GAN (2017), equation 2.

    Example:
        >>> import numpy as np
        >>> from course_utils.gan import losses
        >>> float(losses.critic_loss(real_scores=np.array([1.0, 3.0]), fake_scores=np.array([0.5])))
        -1.5
    """
    return tf.reduce_mean(fake_scores) - tf.reduce_mean(real_scores)


def wasserstein_loss(fake_scores):
    """Return -mean f(fake), what the generator of a Wasserstein GAN makes small.

    Notebook: 09_gan_from_scratch (written out)

    Example:
        >>> import numpy as np
        >>> from course_utils.gan import losses
        >>> float(losses.wasserstein_loss(np.array([1.0, 3.0])))
        -2.0
    """
    return -tf.reduce_mean(fake_scores)


def gradient_penalty(critic: Callable, real, fake, mix):
    """Return the mean of (|gradient of the critic| - 1)^2 at random places between data and fakes.

    Notebook: 09_gan_from_scratch (written out)

    Source: Gulrajani et al., Improved training of Wasserstein GANs (2017), equation 3.

    Args:
        critic: function of a batch to scores; a model, or a `lambda` that adds the condition.
        real: data, (batch, ...) float.
        fake: made by the generator, of the shape of real.
        mix: (batch,) random numbers from 0, where a place is real, to 1, where it is fake.

    Returns:
        A scalar tensor, from 0 on.

    Raises:
        ValueError: if the shapes do not fit together.

    Example:
        >>> import tensorflow as tf
        >>> from course_utils.gan import losses
        >>> real, fake, mix = tf.zeros((4, 2)), tf.ones((4, 2)), tf.fill(4, 0.5)
        >>> round(float(losses.gradient_penalty(lambda x: 3 * x[:, 0], real, fake, mix)), 3)
        4.0
    """
    check_pairs(real, fake, mix)
    mix = tf.reshape(mix, (-1, *(1 for _ in real.shape[1:])))  # (batch, 1, ..., 1)
    between = real + mix * (fake - real)
    with tf.GradientTape() as tape:
        tape.watch(between)
        scores = critic(between)
    slopes = tf.square(tape.gradient(scores, between))
    # The root has no slope at 0, where a critic may begin: without the small number, its gradient
    # would be NaN.
    norms = tf.sqrt(tf.reduce_sum(slopes, axis=range(1, len(slopes.shape))) + 1e-12)
    return tf.reduce_mean(tf.square(norms - 1))


def check_pairs(real, fake, mix) -> None:
    """Check that there is a fake and a number in `mix` for every real one: else they would be
    stretched to fit, or fail.

    Args: as `gradient_penalty`.

    Raises:
        ValueError: if not.

    Example:
        >>> import numpy as np
        >>> from course_utils.gan import losses
        >>> losses.check_pairs(np.zeros((4, 2)), np.zeros((4, 2)), np.zeros(3))
        Traceback (most recent call last):
        ValueError: Real and fake should have the same shape, (batch, ...), and mix (batch,), not
        (4, 2), (4, 2) and (3,). Draw as many of each.
    """
    shapes = [tf.TensorShape(np.shape(array) if isinstance(array, np.ndarray) else array.shape)
              for array in (real, fake, mix)]
    if not (shapes[0].is_compatible_with(shapes[1])
            and shapes[0][:1].is_compatible_with(shapes[2])):
        raise ValueError("Real and fake should have the same shape, (batch, ...), and mix "
                         f"(batch,), not {shapes[0]}, {shapes[1]} and {shapes[2]}. Draw as many of "
                         "each.")
