"""README's pictures of the widgets are there, small and described; and they show what a cell shows."""
import re

import pytest
from PIL import Image

from tools import chromium, notebooks, pictures

README = (notebooks.ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", pictures.CELLS)
def test_readme_shows_and_describes_each_picture(name):
    path = pictures.TARGET / f"{name}.webp"
    (alt,) = re.findall(rf"!\[([^\]]*)\]\(docs/{name}\.webp\)", README)
    assert len(alt.split()) > 8 and path.stat().st_size < 60_000
    assert Image.open(path).width <= pictures.WIDTH


@pytest.mark.skipif(bool(chromium.lacking()), reason=f"no picture is taken: {chromium.lacking()}")
def test_a_picture_shows_the_cell_and_what_it_made(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(pictures, "CELLS", {"red": """
from IPython.display import HTML
HTML('<div style="background: rgb(255, 0, 0); height: 200px"></div>')"""})
    assert pictures.main([str(tmp_path)]) == 0
    picture = Image.open(tmp_path / "red.webp").convert("RGB")
    red = sum(count for count, (r, g, b) in picture.getcolors(1_000_000) if r > 240 and g < 20 and b < 20)
    assert 200 < picture.height < 400 and red > 100_000
    assert "red.webp" in capsys.readouterr().out


def test_without_a_browser_it_says_what_is_missing(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(chromium, "lacking", lambda: "no Chromium (apt-get install chromium)")
    assert pictures.main([str(tmp_path)]) == 1
    assert "apt-get install" in capsys.readouterr().err and list(tmp_path.iterdir()) == []
