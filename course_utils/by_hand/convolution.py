"""The layers of a small convolutional network in NumPy, forward and backward, and two optimizers.

Arrays have the axes of Keras: sound is (batch, time, channels), pictures are (batch, height, width,
channels), and all numbers are floats. A function `f_backward` takes `dy`, the gradient of the loss
with respect to what `f` returned, and gives back the gradients with respect to what `f` took.
"""
from collections.abc import Callable, Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from course_utils import checks


def conv1d(x: np.ndarray, w: np.ndarray, b: np.ndarray, stride: int = 1,
           padding: int = 0) -> np.ndarray:
    """Slide filters over sound: y[n, t, f] = b[f] + sum over k, c of x[n, stride t + k, c] w[k, c,
    f].

    Notebook: 04_convolution_from_scratch (written out)

    As in every deep-learning library this is a cross-correlation: the filter is not turned round.

    Args:
        x: (batch, time, channels).
        w: (width, channels, filters).
        b: (filters,).
        stride: samples from one place of the filters to the next.
        padding: zeros put before the beginning and after the end.

    Returns:
        (batch, 1 + (time + 2 padding - width) // stride, filters).

    Raises:
        ValueError: if the shapes do not fit together.
    """
    checks.check_conv("ntc, kcf, f", x, w, b, stride, padding)
    x = np.pad(x, ((0, 0), (padding, padding), (0, 0)))
    windows = sliding_window_view(x, len(w), axis=1)[:, ::stride]
    return np.einsum("ntck,kcf->ntf", windows, w, optimize=True) + b


def conv1d_backward(dy: np.ndarray, x: np.ndarray, w: np.ndarray, stride: int = 1,
                    padding: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the gradients of `conv1d` with respect to x, w and b.

    Notebook: 04_convolution_from_scratch (written out)

    Args: as `conv1d`; dy: (batch, steps, filters).

    Raises:
        ValueError: if the shapes do not fit together.
    """
    checks.check_conv("ntc, kcf, nsf", x, w, dy, stride, padding)
    x = np.pad(x, ((0, 0), (padding, padding), (0, 0)))
    windows = sliding_window_view(x, len(w), axis=1)[:, ::stride]
    dw = np.einsum("ntck,ntf->kcf", windows, dy, optimize=True)
    dx = np.zeros_like(x)
    for k in range(len(w)):
        dx[:, k : k + stride * dy.shape[1] : stride] += dy @ w[k].T
    return dx[:, padding : x.shape[1] - padding], dw, dy.sum(axis=(0, 1))


def conv2d(x: np.ndarray, w: np.ndarray, b: np.ndarray, stride: int = 1,
           padding: int = 0) -> np.ndarray:
    """Slide filters over pictures, as `conv1d` does over sound.

    Notebook: 04_convolution_from_scratch (written out)

    Args:
        x: (batch, height, width, channels).
        w: (filter height, filter width, channels, filters).
        b: (filters,).
        stride: steps from one place of the filters to the next, both down and to the right.
        padding: zeros put on all four sides.

    Returns:
        (batch, rows, columns, filters), rows and columns as many as the steps of `conv1d`.

    Raises:
        ValueError: if the shapes do not fit together.
    """
    checks.check_conv("nhwc, kmcf, f", x, w, b, stride, padding)
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    windows = sliding_window_view(x, w.shape[:2], axis=(1, 2))[:, ::stride, ::stride]
    return np.einsum("nijckm,kmcf->nijf", windows, w, optimize=True) + b


def conv2d_backward(dy: np.ndarray, x: np.ndarray, w: np.ndarray, stride: int = 1,
                    padding: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the gradients of `conv2d` with respect to x, w and b.

    Notebook: 04_convolution_from_scratch (written out)

    Args: as `conv2d`; dy: (batch, rows, columns, filters).

    Raises:
        ValueError: if the shapes do not fit together.
    """
    checks.check_conv("nhwc, kmcf, nijf", x, w, dy, stride, padding)
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    windows = sliding_window_view(x, w.shape[:2], axis=(1, 2))[:, ::stride, ::stride]
    dw = np.einsum("nijckm,nijf->kmcf", windows, dy, optimize=True)
    dx = np.zeros_like(x)
    rows, columns = stride * dy.shape[1], stride * dy.shape[2]
    for k, m in np.ndindex(w.shape[:2]):
        dx[:, k : k + rows : stride, m : m + columns : stride] += dy @ w[k, m].T
    height, width = x.shape[1] - padding, x.shape[2] - padding
    return dx[:, padding:height, padding:width], dw, dy.sum(axis=(0, 1, 2))


def relu(x: np.ndarray) -> np.ndarray:
    """Return max(x, 0), element by element.

    Notebook: 04_convolution_from_scratch (written out)

    Example:
        >>> import numpy as np
        >>> from course_utils.by_hand import convolution
        >>> convolution.relu(np.array([-2.0, 0.0, 3.0])).tolist()
        [0.0, 0.0, 3.0]
    """
    return np.maximum(x, 0)


def relu_backward(dy: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the gradient of `relu`; where x is 0 it counts as 0.

    Notebook: 04_convolution_from_scratch (written out)

    Raises:
        ValueError: if the shapes differ.

    Example:
        >>> import numpy as np
        >>> from course_utils.by_hand import convolution
        >>> convolution.relu_backward(np.ones(3), np.array([-2.0, 0.0, 3.0])).tolist()
        [0.0, 0.0, 1.0]
    """
    checks.check_same([dy], [x])
    return dy * (x > 0)


def max_pool(x: np.ndarray, size: int) -> np.ndarray:
    """Keep the largest of every `size` steps along axis 1; an incomplete rest is left out.

    Notebook: 04_convolution_from_scratch (written out)

    Pooling pictures is pooling along axis 1, then, with the axes swapped, along axis 2.

    Args:
        x: (batch, time, ...).
        size: steps in a group.

    Returns:
        (batch, time // size, ...).

    Raises:
        ValueError: if not one group is complete.
    """
    checks.check_pool(x, size)
    return sliding_window_view(x, size, axis=1)[:, ::size].max(axis=-1)


def max_pool_backward(dy: np.ndarray, x: np.ndarray, size: int) -> np.ndarray:
    """Return the gradient of `max_pool`: all of it goes to the first of the largest.

    Notebook: 04_convolution_from_scratch (written out)

    Args: as `max_pool`; dy: (batch, time // size, ...).

    Raises:
        ValueError: if the shapes do not fit together.
    """
    checks.check_pool(x, size, dy)
    largest = sliding_window_view(x, size, axis=1)[:, ::size].argmax(axis=-1)
    dx = np.zeros_like(x)
    for k in range(size):
        dx[:, k : k + size * dy.shape[1] : size] = dy * (largest == k)
    return dx


def dense(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Weigh all inputs for every output: y = x w + b.

    Notebook: 04_convolution_from_scratch (written out)

    Args:
        x: (batch, inputs).
        w: (inputs, outputs).
        b: (outputs,).

    Returns:
        (batch, outputs).

    Raises:
        ValueError: if the shapes do not fit together.

    Example:
        >>> import numpy as np
        >>> from course_utils.by_hand import convolution
        >>> convolution.dense(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]), np.ones(1)).tolist()
        [[12.0]]
    """
    checks.check_shapes("ni, io, o", x, w, b)
    return x @ w + b


def dense_backward(dy: np.ndarray, x: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray,
                                                                          np.ndarray]:
    """Return the gradients of `dense` with respect to x, w and b.

    Notebook: 04_convolution_from_scratch (written out)

    Raises:
        ValueError: if the shapes do not fit together.

    Example:
        >>> import numpy as np
        >>> from course_utils.by_hand import convolution
        >>> dy, x, w = np.ones((8, 3)), np.ones((8, 5)), np.ones((5, 3))
        >>> [gradient.shape for gradient in convolution.dense_backward(dy, x, w)]
        [(8, 5), (5, 3), (3,)]
    """
    checks.check_shapes("no, ni, io", dy, x, w)
    return dy @ w.T, x.T @ dy, dy.sum(axis=0)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Turn numbers into probabilities: exp(logits), divided by its sum along the last axis.

    Notebook: 04_convolution_from_scratch (written out)

    Example:
        >>> import numpy as np
        >>> from course_utils.by_hand import convolution
        >>> convolution.softmax(np.array([1000.0, 1000.0, 0.0])).tolist()
        [0.5, 0.5, 0.0]
    """
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean of -log softmax(logits)[label], in nats.

    Notebook: 04_convolution_from_scratch (written out)

    Args:
        logits: (batch, classes).
        labels: (batch,) whole numbers, the right classes.

    Raises:
        ValueError: if the labels do not fit the logits.

    Example:
        >>> import numpy as np
        >>> from course_utils.by_hand import convolution
        >>> round(convolution.cross_entropy(np.zeros((2, 8)), np.array([0, 7])), 2)  # log(8)
        2.08
    """
    checks.check_labels(logits, labels)
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_total = np.log(np.exp(shifted).sum(axis=1))
    return float((log_total - shifted[np.arange(len(labels)), labels]).mean())


def cross_entropy_backward(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the gradient of `cross_entropy` with respect to the logits, (batch, classes):
    probabilities minus ones at the right classes, divided by the batch size.

    Notebook: 04_convolution_from_scratch (written out)

    Raises:
        ValueError: if the labels do not fit the logits.

    Example:
        >>> import numpy as np
        >>> from course_utils.by_hand import convolution
        >>> convolution.cross_entropy_backward(np.zeros((1, 4)), np.array([2])).tolist()
        [[0.25, 0.25, -0.75, 0.25]]
    """
    checks.check_labels(logits, labels)
    error = softmax(logits)
    error[np.arange(len(labels)), labels] -= 1
    return error / len(labels)


class SGD:
    """Go a step against the gradient: w becomes w - learning_rate g.

    Notebook: 04_convolution_from_scratch (written out)

    Example:
        >>> import numpy as np
        >>> from course_utils.by_hand import convolution
        >>> w = np.array([1.0, 1.0])
        >>> convolution.SGD(learning_rate=0.5).update([w], [np.array([1.0, -2.0])])
        >>> w.tolist()
        [0.5, 2.0]
    """

    def __init__(self, learning_rate: float = 0.01):
        self.learning_rate = learning_rate

    def update(self, weights: Sequence[np.ndarray], gradients: Sequence[np.ndarray]) -> None:
        """Change the weights in place.

        Raises:
            ValueError: if weights and gradients are not as many, or differ in shape.
        """
        checks.check_same(weights, gradients)
        for w, g in zip(weights, gradients):
            w -= self.learning_rate * g


class Adam:
    """Step by the mean gradient over the root of its mean square, both forgetting slowly.

    Notebook: 04_convolution_from_scratch (written out)

    Kingma and Ba, "Adam: a method for stochastic optimization" (2015), in the order of computing
    that ends their section 2, which is that of Keras.

    Example:
        >>> import numpy as np
        >>> from course_utils.by_hand import convolution
        >>> w = np.zeros(2)
        >>> convolution.Adam(learning_rate=0.1).update([w], [np.array([1.0, -1000.0])])
        >>> w.round(3).tolist()  # the first step is equally long, however steep it is
        [-0.1, 0.1]
    """

    def __init__(self, learning_rate: float = 0.001, beta_1: float = 0.9, beta_2: float = 0.999,
                 epsilon: float = 1e-7):
        self.learning_rate, self.beta_1, self.beta_2 = learning_rate, beta_1, beta_2
        self.epsilon, self.steps, self.means, self.squares = epsilon, 0, [], []

    def update(self, weights: Sequence[np.ndarray], gradients: Sequence[np.ndarray]) -> None:
        """Change the weights in place.

        Raises:
            ValueError: if weights and gradients are not as many, or differ in shape, or are others
                than before.
        """
        if not self.means:
            self.means = [np.zeros_like(w) for w in weights]
            self.squares = [np.zeros_like(w) for w in weights]
        checks.check_same(weights, gradients, self.means)
        self.steps += 1
        unbias = np.sqrt(1 - self.beta_2**self.steps) / (1 - self.beta_1**self.steps)
        for w, g, m, s in zip(weights, gradients, self.means, self.squares):
            m += (1 - self.beta_1) * (g - m)
            s += (1 - self.beta_2) * (g**2 - s)
            w -= self.learning_rate * unbias * m / (np.sqrt(s) + self.epsilon)


def numerical_gradient(loss: Callable[[], float], x: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """Return the gradient of a loss by trying: each number of x a little larger, and a little
    smaller.

    Notebook: 04_convolution_from_scratch (written out)

    Args:
        loss: a function without arguments that reads x.
        x: float64, of any shape; it is changed in between, and left as it was.
        step: how much larger and smaller.

    Returns:
        float64 of the shape of x.

    Raises:
        ValueError: if x is not in double precision, without which so small steps are rounded away.

    Example:
        >>> import numpy as np
        >>> from course_utils.by_hand import convolution
        >>> x = np.array([3.0, 5.0])
        >>> convolution.numerical_gradient(lambda: float((x**2).sum()), x).round(3).tolist()
        [6.0, 10.0]
    """
    checks.check_double(x)
    gradient = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        kept = x[i]
        x[i] = kept + step
        above = loss()
        x[i] = kept - step
        gradient[i] = (above - loss()) / (2 * step)
        x[i] = kept
    return gradient
