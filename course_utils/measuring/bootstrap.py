"""How sure a figure is: confidence intervals over pieces. (An interval alone is musical.)"""
import numpy as np


def confidence_interval(totals: np.ndarray, counts: np.ndarray,
                        draws: int = 2000) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of a ratio such as nats per cell.

    Notebook: 08_lstm_composes_chorales (written out)

    Notes of one piece resemble one another, so whole pieces are drawn, with replacement, as often
    as there are pieces (Efron 1979, the percentile interval).

    Args:
        totals: (pieces,), what is summed, such as a piece's nats.
        counts: (pieces,), what it is divided by, such as a piece's cells; ones for a plain mean.
        draws: how many times all pieces are drawn.

    Returns:
        The lower and the upper end; the same arguments give the same ends.
    """
    pieces = np.random.default_rng(0).integers(len(totals), size=(draws, len(totals)))
    low, high = np.quantile(totals[pieces].sum(axis=1) / counts[pieces].sum(axis=1), [0.025, 0.975])
    return float(low), float(high)


def mean_and_interval(values: np.ndarray) -> tuple[float, float, float]:
    """Return the mean of one number a piece, (pieces,), and the ends of its confidence interval.

    Notebook: 12_measuring_music

    Example:
        >>> import numpy as np
        >>> from course_utils.measuring import bootstrap
        >>> bootstrap.mean_and_interval(np.full(77, 0.25))  # equal pieces leave no doubt
        (0.25, 0.25, 0.25)
    """
    return float(values.mean()), *confidence_interval(values, np.ones(len(values)))
