"""How far apart two sets are: of numbers, or of points in a feature space.

`x` is the reference, (n, features). `y` is what is judged, (..., m, features): with axes in front,
such as the resamples that `resamples` draws, many sets are judged at once. Values near 0 (or 1,
where it says so) mean alike.
"""
import numpy as np

GRID = 400  # points at which densities of one variable are compared
# of a density's kernel, in units of the range: so that equal numbers have a density, too
NARROWEST = 1e-6


def standardize(reference: np.ndarray, *others: np.ndarray) -> list[np.ndarray]:
    """Return all sets in units of the reference's mean and standard deviation; what never varies
    there keeps its unit.

    Args:
        reference, others: (..., features).

    Example:
        >>> import numpy as np
        >>> from course_utils.measuring import distances
        >>> reference, other = distances.standardize(np.array([[0.0], [4.0]]), np.array([[8.0]]))
        >>> reference.tolist(), other.tolist()
        ([[-1.0], [1.0]], [[3.0]])
    """
    mean, spread = reference.mean(axis=0), reference.std(axis=0)
    return [(values - mean) / np.where(spread > 0, spread, 1) for values in (reference, *others)]


def frechet_distance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the Fréchet distance of two sets, each taken for a Gaussian.

    Notebook: 12_measuring_music (written out)

    d = |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)): Dowson and Landau (1982); of embeddings Heusel
    et al. (2017), of audio Kilgour et al. (2019). At least 0, biased upwards in small sets.

    Args:
        x: (n, features), at least 2 points.
        y: (..., m, features).

    Returns:
        float64 (...).

    Example:
        >>> import numpy as np
        >>> from course_utils.measuring import distances
        >>> x = np.random.default_rng(0).normal(size=(100, 3))
        >>> [abs(round(float(distances.frechet_distance(x, x + shift)), 6)) for shift in (0, 2)]
        [0.0, 12.0]
    """
    difference = x.mean(axis=-2) - y.mean(axis=-2)
    first, second = covariance(x), covariance(y)
    values, vectors = np.linalg.eigh(first)
    root = (vectors * np.sqrt(values.clip(0))[..., None, :]) @ np.swapaxes(vectors, -1, -2)
    cross = np.sqrt(np.linalg.eigvalsh(root @ second @ root).clip(0)).sum(axis=-1)
    traces = np.trace(first, axis1=-2, axis2=-1) + np.trace(second, axis1=-2, axis2=-1)
    return (difference**2).sum(axis=-1) + traces - 2 * cross


def covariance(x: np.ndarray) -> np.ndarray:
    """Return the unbiased covariance of points (..., n, features) as (..., features, features)."""
    centred = x - x.mean(axis=-2, keepdims=True)
    return np.swapaxes(centred, -1, -2) @ centred / (x.shape[-2] - 1)


def frechet_curve(x: np.ndarray, y: np.ndarray, sizes: np.ndarray, draws: int = 50,
                  seed: int = 0) -> np.ndarray:
    """Return the mean Fréchet distance of random parts of two sets, for each number of points in a
    part.

    Notebook: 12_measuring_music

    Args:
        x, y: (n, features) and (m, features).
        sizes: points in a part, the same of both sets, at most the smaller of n and m.
        draws: parts of each size.
        seed: of the choice.

    Returns:
        float64 (sizes,).

    Example:
        >>> import numpy as np
        >>> from course_utils.measuring import distances
        >>> x, y = np.random.default_rng(0).normal(size=(2, 200, 3))  # two sets of one kind
        >>> small, large = distances.frechet_curve(x, y, [10, 200], draws=10)
        >>> bool(small > 5 * large)  # few points seem far apart
        True
    """
    rng, means = np.random.default_rng(seed), []
    for size in sizes:
        parts = [s[rng.permuted(np.tile(np.arange(len(s)), (draws, 1)), axis=1)[:, :size]]
                 for s in (x, y)]
        means.append(frechet_distance(*parts).mean())
    return np.array(means)


def frechet_infinity(x: np.ndarray, y: np.ndarray, draws: int = 50, seed: int = 0) -> float:
    """Extrapolate the Fréchet distance to sets without end.

    Notebook: 12_measuring_music

    The bias falls as 1 / points: fit a line to the distances of parts of different sizes over 1 /
    size, and read it at 0. Chong and Forsyth, "Effectively unbiased FID and inception score"
    (2020). May come out a little below 0.

    Args: as `frechet_curve`; the parts hold from a half to all of the smaller set.

    Example:
        >>> import numpy as np
        >>> from course_utils.measuring import distances
        >>> x, y = np.random.default_rng(0).normal(size=(2, 50, 3))  # two sets of one kind
        >>> bool(distances.frechet_infinity(x, y) < distances.frechet_distance(x, y))
        True
    """
    smaller = min(len(x), len(y))
    sizes = np.unique(np.linspace(smaller / 2, smaller, 6).astype(int))
    return float(np.polyfit(1 / sizes, frechet_curve(x, y, sizes, draws, seed), 1)[1])


def mmd(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the squared maximum mean discrepancy of two sets, without bias.

    Notebook: 12_measuring_music (written out)

    The kernel is k(a, b) = (a b / features + 1)^3, as in the kernel inception distance of Binkowski
    et al., "Demystifying MMD GANs" (2018); the estimate is U of Gretton et al. (2012). Below 0 as
    often as above if both sets are alike.

    Args:
        x: (n, features), at least 2 points.
        y: (..., m, features).

    Returns:
        float64 (...).
    """
    def mean_kernel(a, b, pairs):
        kernel = (a @ np.swapaxes(b, -1, -2) / a.shape[-1] + 1) ** 3
        own = np.trace(kernel, axis1=-2, axis2=-1) if a is b else 0
        return (kernel.sum(axis=(-2, -1)) - own) / pairs

    n, m = x.shape[-2], y.shape[-2]
    return (mean_kernel(x, x, n * (n - 1)) + mean_kernel(y, y, m * (m - 1)) - 2
            * mean_kernel(x, y, n * m))


def pairwise(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the Euclidean distances of points (..., n, features) from points (..., m, features),
    (..., n, m).
    """
    squares = ((x**2).sum(axis=-1)[..., :, None] + (y**2).sum(axis=-1)[..., None, :] - 2 * x
               @ np.swapaxes(y, -1, -2))
    return np.sqrt(np.maximum(squares, 0))


def intra_distances(x: np.ndarray) -> np.ndarray:
    """Return the distances between the different points of one set, (n (n - 1) / 2,): Yang and
    Lerch (2018).

    Example:
        >>> import numpy as np
        >>> from course_utils.measuring import distances
        >>> distances.intra_distances(np.array([[0.0, 0.0], [3, 4], [6, 8]])).round(2).tolist()
        [5.0, 10.0, 5.0]
    """
    return pairwise(x, x)[np.triu_indices(len(x), 1)]


def inter_distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the distances of all points of one set from all of another, (n * m,): Yang and Lerch
    (2018).

    Example:
        >>> import numpy as np
        >>> from course_utils.measuring import distances
        >>> x, y = np.array([[0.0, 0.0]]), np.array([[3.0, 4.0], [0.0, 1.0]])
        >>> distances.inter_distances(x, y).round(2).tolist()
        [5.0, 1.0]
    """
    return pairwise(x, y).ravel()


def scott(values: np.ndarray) -> float:
    """Return the width of the kernels that estimate a density, by the rule of Scott (1992)."""
    return float(np.std(values, ddof=1) * np.size(values) ** -0.2)


def density(values: np.ndarray, places: np.ndarray, width: float | None = None) -> np.ndarray:
    """Estimate a probability density: a Gaussian kernel on every value.

    Notebook: 12_measuring_music

    Args:
        values: (n,), what was seen; at least 2.
        places: (k,), where the density is wanted.
        width: standard deviation of the kernels; by default `scott` of the values.

    Returns:
        float64 (k,).
    """
    width = max(scott(values) if width is None else width, NARROWEST * max(np.ptp(places), 1e-12))
    height = np.zeros(len(places))
    for block in np.array_split(values, -(-len(values) // 1000)):
        height += np.exp(-0.5 * ((places[:, None] - block) / width) ** 2).sum(axis=1)
    return height / (len(values) * width * np.sqrt(2 * np.pi))


def densities(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return places that cover both samples, and the density of each there, each (400,).

    Example:
        >>> import numpy as np
        >>> from course_utils.measuring import distances
        >>> places, of_a, of_b = distances.densities(np.arange(5.0), np.arange(3.0))
        >>> round(float(of_a.sum() * (places[1] - places[0])), 2)  # the area below a density
        1.0
    """
    low, high = min(a.min(), b.min()), max(a.max(), b.max())
    margin = max(3 * max(scott(a), scott(b)), 1e-9)
    places = np.linspace(low - margin, high + margin, GRID)
    return places, density(a, places), density(b, places)


def overlap_area(a: np.ndarray, b: np.ndarray) -> float:
    """Return how much two samples' densities overlap: the integral of the smaller one.

    Notebook: 12_measuring_music (written out)

    0 for samples far apart, 1 for the same: OA of Yang and Lerch (2018), who compare distances
    within a set to those between two sets.

    Args:
        a, b: (n,) and (m,), at least 2 numbers each.
    """
    places, p, q = densities(a, b)
    return float(np.trapezoid(np.minimum(p, q), places))


def kl_divergence(a: np.ndarray, b: np.ndarray) -> float:
    """Return the Kullback-Leibler divergence of two samples' densities in nats: the integral of p
    log(p / q).

    Notebook: 12_measuring_music

    At least 0; not symmetric; large where `a` has values that `b` has not. Yang and Lerch (2018).
    """
    places, p, q = densities(a, b)
    return float(
        np.trapezoid(np.where(p > 1e-12, p * np.log(np.maximum(p, 1e-12) / np.maximum(q, 1e-12)),
                              0), places))


def total_variation(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Return half the sum of the differences of histograms (..., bins): 0 if equal, 1 if they share
    nothing.
    """
    return np.abs(p - q).sum(axis=-1) / 2


def _radius(x: np.ndarray, k: int) -> np.ndarray:
    """Return how far each point's k-th nearest neighbour in its own set is."""
    return np.sort(pairwise(x, x), axis=-1)[..., k]


def precision_recall(x: np.ndarray, y: np.ndarray, k: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Return precision (is it like the reference?) and recall (is all of the reference there?).

    Notebook: 12_measuring_music

    A set's region is the union of balls around its points that reach to the k-th neighbour.
    Precision is the share of `y` in the region of `x`, recall the share of `x` in that of `y`:
    Kynkäänniemi et al., "Improved precision and recall metric" (2019).

    Args:
        x: (n, features), more than k points.
        y: (..., m, features), more than k points.
        k: which neighbour.

    Returns:
        Two arrays (...), from 0 to 1.

    Example:
        >>> import numpy as np
        >>> from course_utils.measuring import distances
        >>> x = np.array([[0.0], [1], [2], [3], [100], [101], [102], [103]])
        >>> y = x[:4] + 0.5  # good, but only one half of what there is
        >>> [float(share) for share in distances.precision_recall(x, y)]
        [1.0, 0.5]
    """
    apart = pairwise(x, y)
    precision = (apart <= _radius(x, k)[..., :, None]).any(axis=-2).mean(axis=-1)
    recall = (apart <= _radius(y, k)[..., None, :]).any(axis=-1).mean(axis=-1)
    return precision, recall


def density_coverage(x: np.ndarray, y: np.ndarray, k: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Return density and coverage, which one odd point cannot spoil.

    Notebook: 12_measuring_music

    With the balls around the points of `x`: density counts in how many a point of `y` lies, over k
    (about 1 if alike, may be more), coverage is the share of balls that hold a point of `y` at all.
    Naeem et al., "Reliable fidelity and diversity metrics" (2020).

    Args: as `precision_recall`.

    Example:
        >>> import numpy as np
        >>> from course_utils.measuring import distances
        >>> x = np.array([[0.0], [1], [2], [3], [100], [101], [102], [103]])
        >>> y = x[:4] + 0.5  # good, but only one half of what there is
        >>> float(distances.density_coverage(x, y, k=3)[1])
        0.5
    """
    inside = pairwise(x, y) <= _radius(x, k)[..., :, None]
    return inside.sum(axis=-2).mean(axis=-1) / k, inside.any(axis=-1).mean(axis=-1)


def resamples(y: np.ndarray, draws: int = 200, seed: int = 0) -> np.ndarray:
    """Draw a set's points with replacement, as often as there are, again and again: (m, features)
    to (draws, m, features).
    """
    return y[np.random.default_rng(seed).integers(len(y), size=(draws, len(y)))]


def centred_interval(value: float, replicates: np.ndarray) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of a distance.

    Notebook: 12_measuring_music

    A resample holds some points twice and others never, so it lies farther from everything than the
    set it was drawn from. Only the spread of the replicates is therefore used: their quantiles,
    moved so that their mean is the value itself.

    Args:
        value: the distance of the set.
        replicates: (draws,), the distances of its `resamples`.
    """
    low, high = value + np.quantile(replicates, [0.025, 0.975]) - replicates.mean()
    return min(float(low), float(value)), max(float(high), float(value))


def ranks(intervals: list[tuple[float, float]]) -> list[int]:
    """Rank by intervals, the lowest first: 1 + how many lie wholly below, so that whoever overlaps
    the best shares its rank.
    """
    return [1 + sum(high < low for _, high in intervals) for low, _ in intervals]
