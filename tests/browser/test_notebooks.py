"""Every chapter runs in JupyterLab in Chromium; build/lab gets a picture of each whole notebook.

It takes as long as all notebooks together, so it waits for `make browser`, which fails where there
is no Chromium.
"""
import os
import shutil

import pytest

from tests.browser import lab
from tools import notebooks

PICTURES = notebooks.ROOT / "build" / "lab"
pytestmark = pytest.mark.skipif(not os.environ.get("COURSE_BROWSER"),
                                reason="make browser runs every notebook in a browser")


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """Return a JupyterLab with copies of the chapters, so that none is changed, and its page."""
    folder = tmp_path_factory.mktemp("notebooks")
    for path in notebooks.chapters():
        shutil.copy(path, folder)
    PICTURES.mkdir(parents=True, exist_ok=True)
    with lab.running(folder) as server, lab.learner() as page:
        yield server, page


@pytest.mark.parametrize("path", notebooks.chapters(), ids=lambda path: path.stem)
def test_all_is_well(desk, path):
    assert lab.try_out(*desk, path.name, PICTURES) == []
