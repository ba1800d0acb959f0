"""The measurement of a room runs everybody at once, and tells time and memory."""
import re
import threading
from types import SimpleNamespace

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tools import hub, room

MEET = """
import os, pathlib, time
folder = pathlib.Path("here")
folder.mkdir(exist_ok=True)
(folder / str(os.getpid())).touch()
wanted = int(pathlib.Path("wanted").read_text())
for _ in range(600):
    if len(list(folder.iterdir())) >= wanted:
        break
    time.sleep(0.1)
assert len(list(folder.iterdir())) >= wanted
block = bytearray(50_000_000)
"""


@pytest.fixture
def notebook(tmp_path):
    def write(source):
        nbformat.write(new_notebook(cells=[new_code_cell(source)]), tmp_path / "a.ipynb")
        return tmp_path / "a.ipynb"

    return write


@pytest.fixture(autouse=True)
def own_threads(monkeypatch):
    """Put the variables back afterwards."""
    for name in room.THREADS:
        monkeypatch.setenv(name, "1")


def test_learners_run_at_once_each_in_a_kernel_of_their_own(notebook, tmp_path):
    (tmp_path / "wanted").write_text("3")
    results, total = room.measure(notebook(MEET), 3)  # a cell ends only when all three are there
    assert len(results) == 3 and all(memory > 50 for _, memory in results)
    assert max(s for s, _ in results) <= total + 0.1


def test_what_a_server_needs_is_told(notebook, capsys, monkeypatch):
    monkeypatch.setattr(room, "measure", lambda path,
                        learners: ([(10.0 + k, 1000.0) for k in range(learners)], 12.0))
    assert room.main(["--learners", "3", str(notebook("1"))]) == 0
    told = capsys.readouterr().out
    assert "3 learners" in told and "slowest 12" in told
    assert re.search(r"memory: 3\.5 GB in all", told)


def test_the_worst_moment_of_the_memory_is_seen(monkeypatch):
    free, seen = [8e9, 7e9, 5e9, 9e9], threading.Event()

    def available():
        if len(free) == 1:
            seen.set()
        return SimpleNamespace(available=free.pop(0) if len(free) > 1 else free[0])

    monkeypatch.setattr(psutil, "virtual_memory", available)
    with room.memory_watched() as shrank:
        assert seen.wait(30)
    assert shrank == [3000]


def test_what_the_hub_adds_is_told(capsys, monkeypatch):
    visits = [hub.Visit(5.0 + k, 20.0, 1000.0, 100.0) for k in range(3)]
    monkeypatch.setattr(hub, "measure", lambda path, learners: (visits, 30.0))
    assert room.main(["--learners", "3", "--hub"]) == 0
    told = capsys.readouterr().out
    assert "6 s (slowest 7)" in told and "server: 100 MB" in told and "after 30 s" in told
    assert "3.3 GB in all" in told


def test_the_hub_gives_out_chapters_only(notebook, capsys):
    with pytest.raises(SystemExit):
        room.main(["--hub", str(notebook("1"))])
    assert "'a.ipynb'" in capsys.readouterr().err


@pytest.mark.parametrize("there,told", [(False, "pip install"), (True, "npm install")])
def test_what_the_hub_lacks_is_told(there, told, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(hub.importlib.util, "find_spec", lambda name: there or None)
    monkeypatch.setattr(hub, "PROXY", tmp_path / "configurable-http-proxy")
    monkeypatch.setattr(hub.shutil, "which", lambda name: None)
    assert room.main(["--hub"]) == 1
    assert told in capsys.readouterr().err


def test_a_notebook_that_fails_is_told(notebook, capsys):
    assert room.main(["--learners", "1", str(notebook("1 / 0"))]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_an_empty_room_is_refused(notebook, capsys):
    with pytest.raises(SystemExit):
        room.main(["--learners", "0", str(notebook("1"))])
    assert "1 to 100" in capsys.readouterr().err
