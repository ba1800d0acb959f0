"""The same surroundings for every test: quiet libraries, the quick budget, no learner's settings,
repeatable hypothesis; and the two lanes, `make check` and `make test`.
"""
import os
from pathlib import Path

import pytest
from hypothesis import settings

os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "MPLBACKEND": "Agg", "COURSE_QUIET": "1"}
os.environ.pop("COURSE_BUDGET", None)

settings.register_profile("course", deadline=None, derandomize=True)
settings.load_profile("course")

# These load TensorFlow, train, compose or start other Pythons all along: `make check` does not even
# import them. Single slow tests elsewhere carry the mark themselves.
TESTS = Path(__file__).parent
SLOW = {
    *(TESTS / f"test_{name}.py" for name in ("finale", "main", "training")),
    *(TESTS / "cnn" / f"test_{name}.py" for name in ("networks", "timbre")),
    *(TESTS / "gan" / f"test_{name}.py" for name in ("bar_gan", "losses", "tone_gan", "toy_gan")),
    *(TESTS / "lstm" / f"test_{name}.py" for name in ("continuing", "evaluation", "generation",
                                                      "memory")),
    *(TESTS / "measuring" / f"test_{name}.py" for name in ("judging_files",)),
    *(TESTS / "panels" / f"test_{name}.py" for name in ("composer", "latent_walk")),
    *(TESTS / "tools" / f"test_{name}.py" for name in ("holds", "hub", "room")),
}

LONGEST = {TESTS / "test_datasets.py", TESTS / "gan" / "test_toy_gan.py"}


def pytest_ignore_collect(collection_path, config):
    """Leave slow files alone where slow tests are not wanted; None lets pytest decide."""
    wanted = "not slow" not in config.option.markexpr
    in_browser = collection_path == TESTS / "browser" and "not browser" in config.option.markexpr
    return True if in_browser or (collection_path in SLOW and not wanted) else None


def pytest_collection_modifyitems(items):
    """Mark what stands in slow files and in the browser's folder, and put the longest tests first,
    so that all cores have work until the end.
    """
    for item in items:
        if item.path in SLOW:
            item.add_marker(pytest.mark.slow)
        if TESTS / "browser" in item.path.parents:
            item.add_marker(pytest.mark.browser)
    items.sort(key=lambda item: (item.path not in LONGEST, not item.get_closest_marker("browser"),
                                 not item.get_closest_marker("slow")))
