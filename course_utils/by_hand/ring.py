"""Eight Gaussians on a ring: data of two numbers whose density can be drawn, and measures of what a
network makes of it.

Every corner of the ring stands for a note of the C major scale, so that samples can be heard, too.
"""
import numpy as np

from course_utils.checks import check_whole

MODES, RADIUS, SPREAD = 8, 2.0, 0.05
SCALE = (60, 62, 64, 65, 67, 69, 71, 72)


def centers() -> np.ndarray:
    """Return the middles of the eight Gaussians, (8, 2), the first to the right, the others
    anticlockwise.

    Example:
        >>> from course_utils.by_hand import ring
        >>> ring.centers().round(2)[:3].tolist()
        [[2.0, 0.0], [1.41, 1.41], [0.0, 2.0]]
    """
    angles = 2 * np.pi * np.arange(MODES) / MODES
    return RADIUS * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def draw_ring(count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw points: choose one of the eight Gaussians, then a point of it.

    Notebook: 09_gan_from_scratch (written out)

    Args:
        count: number of points.
        rng: source of random numbers.

    Returns:
        (count, 2) float32.

    Raises:
        ValueError: if the count is no whole number from 1 on.
    """
    check_whole("count", count, 1)
    chosen = centers()[rng.integers(MODES, size=count)]
    return (chosen + SPREAD * rng.standard_normal((count, 2))).astype(np.float32)


def density(points: np.ndarray) -> np.ndarray:
    """Return the probability density of the data: the mean of eight Gaussians.

    Notebook: 09_gan_from_scratch

    Args:
        points: (..., 2).

    Returns:
        (...), in probability per unit of area.

    Raises:
        ValueError: if the last axis is not of length 2.

    Example:
        >>> from course_utils.by_hand import ring
        >>> ring.density([[2.0, 0.0], [0.0, 0.0]]).round(2).tolist()  # on the ring, in its middle
        [7.96, 0.0]
    """
    squares = (_distances(points) / SPREAD) ** 2
    return np.exp(-squares / 2).mean(axis=-1) / (2 * np.pi * SPREAD**2)


def nearest_mode(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which Gaussian each point is nearest to, and how far its middle is.

    Notebook: 09_gan_from_scratch

    Args:
        points: (count, 2).

    Returns:
        (count,) numbers from 0 to 7, and (count,) distances.

    Raises:
        ValueError: if the points are not (count, 2), or none.

    Example:
        >>> from course_utils.by_hand import ring
        >>> mode, distance = ring.nearest_mode([[1.5, 0.0], [0.0, -2.0]])
        >>> mode.tolist(), distance.round(2).tolist()
        ([0, 6], [0.5, 0.0])
    """
    if np.ndim(points) != 2 or not len(points):
        raise ValueError("Points have two axes, (count, 2), and there is at least one, not "
                         f"{np.shape(points)}.")
    distances = _distances(points)
    return distances.argmin(axis=1), distances.min(axis=1)


def good_share(points: np.ndarray) -> float:
    """Return the share of points within three standard deviations of a Gaussian's middle.

    Notebook: 09_gan_from_scratch (written out)

    Of real points it is 1 - exp(-4.5), about 0.989.

    Args:
        points: (count, 2).
    """
    _, distance = nearest_mode(points)
    return float((distance < 3 * SPREAD).mean())


def modes_covered(points: np.ndarray) -> int:
    """Return how many of the eight Gaussians get at least a quarter of their fair share, good
    points counted only.

    Notebook: 09_gan_from_scratch (written out)

    Args:
        points: (count, 2); some hundreds at least, or chance decides.
    """
    mode, distance = nearest_mode(points)
    counts = np.bincount(mode[distance < 3 * SPREAD], minlength=MODES)
    return int((counts >= len(points) / MODES / 4).sum())


def melody(points: np.ndarray, sr: int = 22050, seconds: float = 0.16) -> np.ndarray:
    """Turn points into notes, one after the other: the angle is the pitch, the distance from the
    origin the loudness.

    Notebook: 09_gan_from_scratch

    The middles of the eight Gaussians are the notes of the C major scale. What lies between them is
    out of tune, what lies near the origin is soft.

    Args:
        points: (count, 2).
        sr: sample rate in Hz.
        seconds: length of a note.

    Returns:
        (samples,) float32, within -1 and 1.

    Raises:
        ValueError: if the points are not (count, 2), or not finite, or the sample rate is no whole
            number from 8000 on.

    Example:
        >>> from course_utils.by_hand import ring
        >>> len(ring.melody(ring.centers(), sr=8000, seconds=0.1))  # a scale of eight notes
        6400
    """
    import librosa

    check_whole("sr", sr, 8000)
    nearest_mode(points)
    if not np.isfinite(points).all():
        raise ValueError("The points hold NaN or infinity. Has the training diverged?")
    place = np.arctan2(points[:, 1], points[:, 0]) % (2 * np.pi) * MODES / (2 * np.pi)
    hertz = librosa.midi_to_hz(np.interp(place, np.arange(MODES + 1), [*SCALE, SCALE[0]]))
    loudness = 0.4 * np.minimum(np.linalg.norm(points, axis=1) / RADIUS, 1.5)
    t = np.arange(round(seconds * sr)) / sr
    envelope = (np.minimum(1, t / 0.005) * np.exp(-t / (0.4 * seconds))
                * np.minimum(1, (t[-1] - t) / 0.01))
    partials = sum(np.sin(2 * np.pi * k * np.outer(hertz, t)) / k**2 for k in (1, 2, 3))
    return (loudness[:, None] * envelope * partials).ravel().astype(np.float32)


def _distances(points: np.ndarray) -> np.ndarray:
    """Return the distances of points (..., 2) from the eight middles, (..., 8)."""
    if np.shape(points)[-1:] != (2,):
        raise ValueError("A point has two numbers: the last axis should be 2 long, but the shape "
                         f"is {np.shape(points)}.")
    return np.linalg.norm(np.asarray(points, dtype=float)[..., None, :] - centers(), axis=-1)
