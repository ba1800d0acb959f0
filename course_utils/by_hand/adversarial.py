"""One step of a generative adversarial network in NumPy: two networks of dense layers, and the
gradients of both losses.

`weights` are what a Keras model of `Dense` layers returns from `get_weights()`: kernel and bias of
the first layer, of the second, and so on. Between the layers the generator bends by tanh, the
discriminator by ReLU; the last layer does not bend.
"""
from collections.abc import Callable, Sequence

import numpy as np

from course_utils.by_hand.convolution import dense, dense_backward, relu, relu_backward
from course_utils.by_hand.recurrence import sigmoid
from course_utils.checks import check_same

Weights = Sequence[np.ndarray]


def mlp_weights(sizes: Sequence[int], rng: np.random.Generator) -> list[np.ndarray]:
    """Draw initial weights as Keras does: kernels uniform within sqrt(6 / (inputs + outputs)),
    biases 0.

    Notebook: 09_gan_from_scratch

    Source: Glorot and Bengio (2010), equation 16.

    Args:
        sizes: inputs, units of each layer in between, outputs.
        rng: source of random numbers.

    Returns:
        Kernel (inputs, outputs) and bias (outputs,) of each layer, float64.

    Raises:
        ValueError: if there are not two sizes at least, all of them from 1 on.

    Example:
        >>> import numpy as np
        >>> from course_utils.by_hand import adversarial
        >>> [w.shape for w in adversarial.mlp_weights((2, 32, 1), np.random.default_rng(0))]
        [(2, 32), (32,), (32, 1), (1,)]
    """
    if len(sizes) < 2 or min(sizes) < 1:
        raise ValueError("A network needs its inputs and its outputs, at least one each, not "
                         f"{list(sizes)}.")
    weights = []
    for rows, columns in zip(sizes, sizes[1:]):
        weights += [rng.uniform(-1, 1, (rows, columns)) * np.sqrt(6 / (rows + columns)),
                    np.zeros(columns)]
    return weights


def tanh_backward(dy: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the gradient of tanh, as `relu_backward` does of ReLU.

    Notebook: 09_gan_from_scratch (written out)

    Raises:
        ValueError: if the shapes differ.
    """
    check_same([dy], [x])
    return dy * (1 - np.tanh(x) ** 2)


def forward(x: np.ndarray, weights: Weights, bend: Callable) -> tuple[np.ndarray,
                                                                      list[
    tuple[np.ndarray, np.ndarray]]]:
    """Send a batch through a network of dense layers.

    Notebook: 09_gan_from_scratch (written out)

    Args:
        x: (batch, inputs).
        weights: kernels and biases, in turn.
        bend: what acts between the layers, such as `relu`.

    Returns:
        The outputs, (batch, outputs), and what `backward` needs: each layer's inputs and sums.

    Raises:
        ValueError: if the shapes do not fit together.
    """
    kept = []
    for w, b in zip(weights[::2], weights[1::2]):
        kept.append((x, dense(x, w, b)))
        x = bend(kept[-1][1])
    return kept[-1][1], kept


def backward(dy: np.ndarray, kept: list, weights: Weights,
             bend_backward: Callable) -> tuple[np.ndarray, list[np.ndarray]]:
    """Send a gradient back through a network of dense layers.

    Notebook: 09_gan_from_scratch (written out)

    Args:
        dy: gradient of the loss by the outputs, (batch, outputs).
        kept: what `forward` returned besides the outputs.
        weights: kernels and biases, in turn.
        bend_backward: the way back through `bend`, such as `relu_backward`.

    Returns:
        Gradients of the loss by the inputs, (batch, inputs), and by the weights, a list.

    Raises:
        ValueError: if the shapes do not fit together.
    """
    gradients = []
    for layer in reversed(range(len(kept))):
        x, sums = kept[layer]
        if layer < len(kept) - 1:
            dy = bend_backward(dy, sums)
        dy, dw, db = dense_backward(dy, x, weights[2 * layer])
        gradients = [dw, db, *gradients]
    return dy, gradients


def discriminator_gradients(real: np.ndarray, fake: np.ndarray,
                            discriminator: Weights) -> list[np.ndarray]:
    """Return the gradients of the discriminator's loss, -mean log D(real) - mean log(1 - D(fake)),
    by its weights.

    Notebook: 09_gan_from_scratch (written out)

    Source: Goodfellow et al., Generative adversarial nets (2014), algorithm 1.

    Args:
        real: data, (batch, features).
        fake: made by the generator, (batch, features).
        discriminator: its weights; its one output is the logit of D.

    Raises:
        ValueError: if the shapes do not fit together, or there are not as many fake as real.
    """
    check_same([real], [fake])
    logits, kept = forward(np.concatenate([real, fake]), discriminator, relu)
    is_real = np.repeat([[1.0], [0.0]], len(real), axis=0)
    return backward((sigmoid(logits) - is_real) / len(real), kept, discriminator, relu_backward)[1]


def generator_gradients(z: np.ndarray, generator: Weights,
                        discriminator: Weights) -> list[np.ndarray]:
    """Return the gradients of the generator's non-saturating loss, -mean log D(G(z)), by its
    weights.

    Notebook: 09_gan_from_scratch (written out)

    Source: Goodfellow et al., Generative adversarial nets (2014), section 3.

    Args:
        z: noise, (batch, inputs).
        generator: its weights.
        discriminator: its weights, which are only read.

    Raises:
        ValueError: if the shapes do not fit together.
    """
    fake, generator_kept = forward(z, generator, np.tanh)
    logits, discriminator_kept = forward(fake, discriminator, relu)
    dlogits = (sigmoid(logits) - 1) / len(z)
    dfake, _ = backward(dlogits, discriminator_kept, discriminator, relu_backward)
    return backward(dfake, generator_kept, generator, tanh_backward)[1]
