"""Recurrent layers in NumPy: a simple RNN and an LSTM, forward and back through time, with Keras's
shapes and gate order.

`weights` is always what a Keras layer's `get_weights()` returns: the kernel (features, gates *
units), the recurrent kernel (units, gates * units) and the bias (gates * units,), where a simple
RNN has one gate and an LSTM four, in the order input, forget, candidate, output.
"""
from collections.abc import Sequence

import numpy as np

from course_utils.checks import check_shapes

Weights = Sequence[np.ndarray]


def sigmoid(a: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-a)), of the same shape, without overflow.

    Notebook: 06_recurrence_from_scratch (written out)

    Example:
        >>> import numpy as np
        >>> from course_utils.by_hand import recurrence
        >>> recurrence.sigmoid(np.array([-1000.0, 0.0, 1000.0])).tolist()
        [0.0, 0.5, 1.0]
    """
    return 0.5 + 0.5 * np.tanh(0.5 * a)


def check_layer(x: np.ndarray, weights: Weights, states: Sequence[np.ndarray],
                dh: np.ndarray | None = None) -> None:
    """Check what a recurrent layer gets, so that no axis of length 1 is stretched.

    Notebook: 06_recurrence_from_scratch

    Args:
        x: inputs, (batch, steps, features).
        weights: kernel, recurrent kernel, bias.
        states: on the way forward (h0,) of a simple RNN or (h0, c0) of an LSTM, (batch, units)
            each; on the way back all that the way forward returned.
        dh: on the way back the gradient of the loss by the outputs, (batch, steps, units).

    Raises:
        ValueError: if something does not fit.
    """
    if len(weights) != 3:
        raise ValueError("weights are three arrays, kernel, recurrent kernel and bias, as "
                         f"layer.get_weights() gives them, not {len(weights)}.")
    lstm, (_, recurrent, bias) = len(states) > 1, weights
    axes = "ntf, fg, ug, g" if lstm else "ntf, fu, uu, u"
    if dh is None:
        check_shapes(axes + (", nu, nu" if lstm else ", nu"), x, *weights, *states)
    else:
        check_shapes(axes + (", ntu, nsu, nsu, ntg" if lstm else ", ntu, nsu"), x, *weights, dh,
                     *states)
    if lstm and len(bias) != 4 * len(recurrent):
        raise ValueError(f"An LSTM of {len(recurrent)} units has weights for four gates side by "
                         f"side, {4 * len(recurrent)} columns, not {len(bias)}.")
    steps = x.shape[1]
    if dh is not None and states[0].shape[1] != 1 + steps:
        raise ValueError(f"For {steps} steps, h holds {1 + steps} states, the first included, not "
                         f"{states[0].shape[1]}.")


def rnn_step(x: np.ndarray, h: np.ndarray, weights: Weights) -> np.ndarray:
    """Move a simple RNN one time step on.

    Notebook: 06_recurrence_from_scratch (written out)

    Args:
        x: input of this step, (batch, features).
        h: state after the step before, (batch, units).
        weights: kernel (features, units), recurrent kernel (units, units), bias (units,).

    Returns:
        The new state, which is also the output, (batch, units).
    """
    kernel, recurrent, bias = weights
    return np.tanh(x @ kernel + h @ recurrent + bias)


def rnn_forward(x: np.ndarray, weights: Weights, h0: np.ndarray) -> np.ndarray:
    """Run a simple RNN over whole sequences.

    Notebook: 06_recurrence_from_scratch (written out)

    Source: Elman, Finding structure in time (1990).

    Args:
        x: inputs, (batch, steps, features).
        weights: kernel (features, units), recurrent kernel (units, units), bias (units,).
        h0: state before the first step, (batch, units).

    Returns:
        All states, (batch, 1 + steps, units); the first is h0, the others are the outputs.

    Raises:
        ValueError: if the shapes do not fit.
    """
    check_layer(x, weights, (h0,))
    h = [h0]
    for t in range(x.shape[1]):
        h.append(rnn_step(x[:, t], h[-1], weights))
    return np.stack(h, axis=1)


def rnn_backward(dh: np.ndarray, x: np.ndarray, h: np.ndarray, weights: Weights) -> tuple:
    """Propagate gradients back through time in a simple RNN.

    Notebook: 06_recurrence_from_scratch (written out)

    Args:
        x: inputs, (batch, steps, features).
        h: what `rnn_forward` returned, (batch, 1 + steps, units).
        weights: kernel (features, units), recurrent kernel (units, units), bias (units,).
        dh: gradient of the loss by each output, the future left out, (batch, steps, units).

    Returns:
        Gradients of the loss by x, by h0, and by the three weights (a list), each of the shape of
        what it belongs to.

    Raises:
        ValueError: if the shapes do not fit.
    """
    check_layer(x, weights, (h,), dh)
    da, dh_next = np.empty_like(h[:, 1:]), np.zeros_like(h[:, 0])
    for t in reversed(range(x.shape[1])):
        da[:, t] = (dh[:, t] + dh_next) * (1 - h[:, t + 1] ** 2)
        dh_next = da[:, t] @ weights[1].T
    dx, dweights = sum_over_time(da, x, h, weights)
    return dx, dh_next, dweights


def sum_over_time(da: np.ndarray, x: np.ndarray, h: np.ndarray, weights: Weights) -> tuple:
    """Return gradients by inputs and by weights, from those by the sums a = x W + h U + b of all
    steps.

    Notebook: 06_recurrence_from_scratch (written out)

    Args:
        x: inputs, (batch, steps, features).
        h: states, (batch, 1 + steps, units).
        weights: kernel, recurrent kernel, bias.
        da: gradient of the loss by the sums, (batch, steps, gates * units).

    Returns:
        Gradients by x, and by the three weights (a list).
    """
    dkernel = np.einsum("bti,btj->ij", x, da)
    drecurrent = np.einsum("bti,btj->ij", h[:, :-1], da)
    return da @ weights[0].T, [dkernel, drecurrent, da.sum(axis=(0, 1))]


def lstm_step(x: np.ndarray, h: np.ndarray, c: np.ndarray, weights: Weights) -> tuple[np.ndarray,
    np.ndarray, np.ndarray]:
    """Move an LSTM one time step on.

    Notebook: 06_recurrence_from_scratch (written out)

    Args:
        x: input of this step, (batch, features).
        h: output of the step before, (batch, units).
        c: memory after the step before, (batch, units).
        weights: kernel (features, 4 * units), recurrent kernel (units, 4 * units), bias (4 *
            units,).

    Returns:
        The new h and c, (batch, units) each, and the gates input, forget, candidate, output side by
        side, (batch, 4 * units).
    """
    kernel, recurrent, bias = weights
    i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=-1)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    c = f * c + i * g
    return o * np.tanh(c), c, np.concatenate([i, f, g, o], axis=-1)


def lstm_forward(x: np.ndarray, weights: Weights, h0: np.ndarray,
                 c0: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Run an LSTM over whole sequences.

    Notebook: 06_recurrence_from_scratch (written out)

    Source: Hochreiter and Schmidhuber, Long short-term memory (1997); Gers et al., Learning to
    forget (2000).

    Args:
        x: inputs, (batch, steps, features).
        weights: kernel (features, 4 * units), recurrent kernel (units, 4 * units), bias (4 *
            units,).
        h0: output before the first step, (batch, units).
        c0: memory before the first step, (batch, units).

    Returns:
        Outputs h and memories c, (batch, 1 + steps, units) each, beginning with h0 and c0; gates
        (batch, steps, 4 * units).

    Raises:
        ValueError: if the shapes do not fit.
    """
    check_layer(x, weights, (h0, c0))
    h, c, gates = [h0], [c0], []
    for t in range(x.shape[1]):
        for kept, new in zip((h, c, gates), lstm_step(x[:, t], h[-1], c[-1], weights)):
            kept.append(new)
    return np.stack(h, axis=1), np.stack(c, axis=1), np.stack(gates, axis=1)


def lstm_backward(dh: np.ndarray, x: np.ndarray, h: np.ndarray, c: np.ndarray, gates: np.ndarray,
                  weights: Weights) -> tuple:
    """Propagate gradients back through time in an LSTM.

    Notebook: 06_recurrence_from_scratch (written out)

    Args:
        x: inputs, (batch, steps, features).
        h: outputs, (batch, 1 + steps, units), from `lstm_forward`, as are the next two.
        c: memories, (batch, 1 + steps, units).
        gates: (batch, steps, 4 * units).
        weights: kernel (features, 4 * units), recurrent kernel (units, 4 * units), bias (4 *
            units,).
        dh: gradient of the loss by each output, the future left out, (batch, steps, units).

    Returns:
        Gradients of the loss by x, by the initial states (dh0, dc0), and by the three weights (a
        list).

    Raises:
        ValueError: if the shapes do not fit.
    """
    check_layer(x, weights, (h, c, gates), dh)
    da, dh_next, dc = np.empty_like(gates), np.zeros_like(h[:, 0]), np.zeros_like(c[:, 0])
    for t in reversed(range(x.shape[1])):
        i, f, g, o = np.split(gates[:, t], 4, axis=-1)
        tanh_c, dh_now = np.tanh(c[:, t + 1]), dh[:, t] + dh_next
        dc = dc + dh_now * o * (1 - tanh_c**2)
        di, df, dg, do = dc * g, dc * c[:, t], dc * i, dh_now * tanh_c
        parts = [di * i * (1 - i), df * f * (1 - f), dg * (1 - g**2), do * o * (1 - o)]
        da[:, t] = np.concatenate(parts, axis=-1)
        dh_next, dc = da[:, t] @ weights[1].T, dc * f
    dx, dweights = sum_over_time(da, x, h, weights)
    return dx, (dh_next, dc), dweights


def rnn_weights(features: int, units: int, rng: np.random.Generator,
                scale: float = 1.0) -> list[np.ndarray]:
    """Draw initial weights of a simple RNN.

    Notebook: 06_recurrence_from_scratch

    Args:
        features: length of one step's input.
        units: length of the state.
        rng: source of random numbers.
        scale: factor of the orthogonal recurrent kernel; 1 is what Keras takes.

    Returns:
        Kernel (features, units), recurrent kernel (units, units), bias (units,), float64.

    Raises:
        ValueError: if features or units is not at least 1.

    Example:
        >>> import numpy as np
        >>> from course_utils.by_hand import recurrence
        >>> kernel, recurrent, bias = recurrence.rnn_weights(3, 5, np.random.default_rng(0))
        >>> kernel.shape, bool(np.allclose(recurrent @ recurrent.T, np.eye(5)))  # orthogonal
        ((3, 5), True)
    """
    return [_glorot(features, units, rng), scale * _orthogonal(units, units, rng), np.zeros(units)]


def lstm_weights(features: int, units: int, rng: np.random.Generator,
                 forget_bias: float = 1.0) -> list[np.ndarray]:
    """Draw initial weights of an LSTM.

    Notebook: 06_recurrence_from_scratch

    Args:
        features: length of one step's input.
        units: length of the state.
        rng: source of random numbers.
        forget_bias: bias of the forget gates; 1 is what Keras takes.

    Returns:
        Kernel (features, 4 * units), recurrent kernel (units, 4 * units), bias (4 * units,),
        float64.

    Raises:
        ValueError: if features or units is not at least 1.

    Example:
        >>> import numpy as np
        >>> from course_utils.by_hand import recurrence
        >>> kernel, recurrent, bias = recurrence.lstm_weights(3, 2, np.random.default_rng(0))
        >>> kernel.shape, bias.tolist()  # four gates; it begins by not forgetting
        ((3, 8), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    """
    bias = np.repeat([0.0, forget_bias, 0.0, 0.0], units)
    return [_glorot(features, 4 * units, rng), _orthogonal(units, 4 * units, rng), bias]


def _glorot(rows: int, columns: int, rng: np.random.Generator) -> np.ndarray:
    if rows < 1 or columns < 1:
        raise ValueError("A recurrent layer reads at least 1 feature and has at least 1 unit.")
    return rng.uniform(-1, 1, (rows, columns)) * np.sqrt(6 / (rows + columns))


def _orthogonal(rows: int, columns: int, rng: np.random.Generator) -> np.ndarray:
    q, r = np.linalg.qr(rng.normal(size=(columns, rows)))
    return (q * np.sign(np.diag(r))).T


def global_norm(gradients: Sequence[np.ndarray]) -> float:
    """Return the length of all gradients taken as one long vector.

    Notebook: 06_recurrence_from_scratch (written out)
    """
    return float(np.sqrt(sum(np.square(g, dtype=np.float64).sum() for g in gradients)))


def clip_by_global_norm(gradients: Sequence[np.ndarray], limit: float) -> list[np.ndarray]:
    """Shorten gradients to a global norm of at most `limit`, direction kept.

    Notebook: 06_recurrence_from_scratch (written out)

    Source: Pascanu et al., On the difficulty of training recurrent neural networks (2013),
    algorithm 1.

    Args:
        gradients: arrays of any shapes.
        limit: the largest norm allowed, above 0.

    Returns:
        New arrays of the same shapes.

    Raises:
        ValueError: if the limit is not above 0, or a gradient holds NaN or infinity.
    """
    norm = global_norm(gradients)
    if not limit > 0 or not np.isfinite(norm):
        raise ValueError(f"Gradients of norm {norm} cannot be clipped to {limit}. The limit is "
                         "above 0; after NaN, start again with a lower learning rate.")
    return [g * (limit / max(norm, limit)) for g in gradients]
