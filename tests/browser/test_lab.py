"""The learner's hand in JupyterLab notices what goes wrong in a notebook."""
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image

from tests.browser import chromium, lab
from tools import execute

LACKING = chromium.lacking()
LOST = """from IPython.display import display
display({"application/vnd.jupyter.widget-view+json":
         {"model_id": "none", "version_major": 2, "version_minor": 0}}, raw=True)"""
COLORS = """from IPython.display import HTML
HTML("".join(f"<div style='height: 1400px; background: {color}'></div>"
             for color in ("red", "green", "blue")))"""


@pytest.fixture
def notebook(tmp_path):
    def write(name, *sources):
        path = tmp_path / name
        nbformat.write(new_notebook(cells=[new_code_cell(source) for source in sources],
                                    metadata=execute.METADATA), path)
        return path

    return write


@pytest.mark.skipif(bool(LACKING), reason=f"no notebook is opened in a browser: {LACKING}")
def test_errors_warnings_and_mute_players_are_noticed(notebook, tmp_path):
    mute = ("from IPython.display import HTML\nHTML('<audio "
            "src=\"data:audio/wav;base64,xxxx\"></audio>')")
    paths = [notebook("a.ipynb", "1 + 1", "", "print(2)"), notebook("b.ipynb", "1 / 0", "print(3)"),
             notebook("c.ipynb", "import warnings\nwarnings.warn('take care')"),
             notebook("d.ipynb", mute), notebook("e.ipynb",
                                                 "import ipywidgets\nipywidgets.IntSlider()", LOST),
             notebook("f.ipynb", COLORS)]
    with lab.running(tmp_path) as server, lab.learner() as page:
        found = [lab.try_out(server, page, path.name, tmp_path) for path in paths]
    good, (error,), (warning,), (silent,), (widgets,), tall = found
    assert good == tall == [] and "ZeroDivisionError" in error and "take care" in warning
    assert "1 players without" in silent and "1 widgets without" in widgets
    seen = Image.open(tmp_path / "f.png").convert("RGB").getcolors(1 << 24)
    assert {color for count, color in seen if count > 100000} >= {(255, 0, 0), (0, 128, 0),
                                                                  (0, 0, 255)}


def test_what_is_lacking_is_named(monkeypatch):
    monkeypatch.delenv("COURSE_CHROMIUM", raising=False)
    monkeypatch.setattr(chromium.shutil, "which", lambda name: None)
    assert "apt-get" in chromium.lacking()
    with pytest.raises(RuntimeError, match="needs a browser"), chromium.opened():
        pass
    monkeypatch.setenv("COURSE_CHROMIUM", "/x/chromium")
    assert chromium.lacking() == ""
