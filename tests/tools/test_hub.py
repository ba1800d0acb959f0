"""The JupyterHub of teaching/ lets learners in who know the password, each into a folder and a
server of their own.
"""
import os
import shutil

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tools import execute, hub, notebooks

LACKING = hub.lacking()
if LACKING:
    pytest.skip(f"THE HUB IS NOT TRIED: {LACKING}", allow_module_level=True)

PLACE = """
import os
from course_utils.exercises import record
print(os.getcwd(), record.progress_file(), os.environ["COURSE_CACHE"])"""


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """Run a hub with the course's settings, whose chapters are one small notebook; yield its
    address and password.
    """
    folder = tmp_path_factory.mktemp("course")
    (folder / "notebooks" / "solutions").mkdir(parents=True)
    (folder / "teaching").mkdir()
    shutil.copy(hub.CONFIG, folder / "teaching")
    cells = [new_code_cell(source) for source in ("import pathlib\npathlib.Path('mine').touch()",
                                                  "", "print(6 * 7)")]
    nbformat.write(new_notebook(cells=cells, metadata=execute.METADATA),
                   folder / "notebooks" / "small.ipynb")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hub, "CONFIG", folder / "teaching" / hub.CONFIG.name)
        patch.setattr(hub.notebooks, "NOTEBOOKS", folder / "notebooks")
        patch.setenv("PATH", os.pathsep.join([os.environ["PATH"], str(hub.PROXY.parent)]))
        patch.setenv("PYTHONPATH", str(notebooks.ROOT))
        yield folder


def test_learners_run_a_notebook_at_once(course):
    visits, total = hub.measure(course / "notebooks" / "small.ipynb", 2)
    assert len(visits) == 2
    assert all(30 < v.server < 1000 and v.kernel > 30 and 0 < v.waited < total for v in visits)


def test_each_has_folder_and_progress_of_their_own_and_strangers_stay_outside(course):
    with hub.running(2) as (address, password):
        with pytest.raises(RuntimeError, match="does not let eve in"):
            hub.Learner(address, "eve", "a guess").sign_in()
        for name in ("ada bob", "ada<img>"):
            with pytest.raises(RuntimeError, match="does not let"):
                hub.Learner(address, name, password).sign_in()
        places = []
        for name in ("ada", "bob"):
            learner = hub.Learner(address, name, password)
            learner.sign_in()
            cells, channel = learner.open("notebooks/small.ipynb")
            assert [cell["source"] for cell in cells][-1] == "print(6 * 7)"
            places.append(hub.run(channel, PLACE, 60).split())
            with pytest.raises(RuntimeError, match="ZeroDivisionError"):
                hub.run(channel, "1 / 0", 60)
        with pytest.raises(TimeoutError, match="sleep"):
            hub.run(channel, "import time; time.sleep(20)", 2)
        with pytest.raises(RuntimeError, match="does not let ada in"):
            hub.Learner(address, "ada", password, "another word").sign_in()
        for name, (folder, progress, cache) in zip(("ada", "bob"), places):
            assert folder.endswith(f"learners/{name}/notebooks") and f"learners/{name}/" in progress
            assert name not in cache
