"""Music to learn from: chorales."""
import functools

import numpy as np

from course_utils import environment
from course_utils.scores import Score

SPLITS = ("train", "valid", "test")


@functools.cache
def _chorale_table() -> dict[str, list[Score]]:
    with np.load(environment.shipped("chorales.npz")) as table:
        columns = {name: table[name] for name in table.files}
    splits: dict[str, list[Score]] = {name: [] for name in SPLITS}
    ends = np.cumsum(columns["length"])
    for i, (begin, end) in enumerate(zip(ends - columns["length"], ends)):
        steps = {name: columns[name][begin:end] for name in ("pitches", "onsets", "beat", "bar", "fermata")}
        steps |= {name: steps[name].astype(np.int16) for name in ("pitches", "beat", "bar")}
        splits[str(columns["split"][i])].append(Score(**steps, key=int(columns["key"][i]), title=f"BWV {columns['bwv'][i]}"))
    return splits


def chorales(split: str) -> list[Score]:
    """Return Bach's four-part chorales of one split of the JSB Chorales benchmark, in order of BWV number.

    The split is that of Boulanger-Lewandowski, Bengio and Vincent (2012); the music comes from the music21 corpus,
    on a grid of sixteenths with repeats written out (`python -m tools.build_chorales` makes the table again).

    Args:
        split: "train", "valid" or "test".

    Raises:
        ValueError: if the split is another.
        OSError: if the shipped table is missing or damaged.
    """
    if split not in SPLITS:
        raise ValueError(f"The split is one of {', '.join(SPLITS)}, not {split!r}.")
    return list(_chorale_table()[split])
