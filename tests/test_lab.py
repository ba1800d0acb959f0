"""The learner's hand in JupyterLab notices what goes wrong in a notebook."""
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tools import chromium, execute, lab

LACKING = chromium.lacking()


@pytest.fixture
def notebook(tmp_path):
    def write(name, *sources):
        path = tmp_path / name
        nbformat.write(new_notebook(cells=[new_code_cell(source) for source in sources], metadata=execute.METADATA), path)
        return path

    return write


@pytest.mark.skipif(bool(LACKING), reason=f"no notebook is opened in a browser: {LACKING}")
def test_errors_warnings_and_mute_players_are_noticed(notebook, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(lab.notebooks, "ROOT", tmp_path)
    mute = "from IPython.display import HTML\nHTML('<audio src=\"data:audio/wav;base64,xxxx\"></audio>')"
    paths = [notebook("a.ipynb", "1 + 1", "", "print(2)"), notebook("b.ipynb", "1 / 0", "print(3)"),
             notebook("c.ipynb", "import warnings\nwarnings.warn('take care')"), notebook("d.ipynb", mute)]
    assert lab.main([str(path) for path in paths]) == 3
    good, error, warning, silent = capsys.readouterr().out.splitlines()
    assert "all well" in good and "ZeroDivisionError" in error and "take care" in warning and "1 players without" in silent
    assert (tmp_path / "build" / "lab" / "a.png").stat().st_size > 10000


def test_without_a_browser_it_says_what_is_missing(capsys, monkeypatch):
    monkeypatch.setattr(chromium, "lacking", lambda: "no Chromium (apt-get install chromium)")
    assert lab.main([]) == 1
    assert "apt-get install" in capsys.readouterr().err


def test_what_is_lacking_is_named(monkeypatch):
    monkeypatch.delenv("COURSE_CHROMIUM", raising=False)
    monkeypatch.setattr(chromium.shutil, "which", lambda name: None)
    assert "apt-get" in chromium.lacking()
    monkeypatch.setenv("COURSE_CHROMIUM", "/x/chromium")
    monkeypatch.setitem(lab.sys.modules, "playwright.sync_api", None)
    assert "pip install playwright" in chromium.lacking()
    with pytest.raises(RuntimeError, match="needs a browser"), chromium.opened():
        pass
