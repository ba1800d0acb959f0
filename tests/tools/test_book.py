"""The site's pages are made of the notebooks."""
import subprocess
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tools import book, notebooks

PAGES = {"notebooks/00_a.ipynb", "notebooks/solutions/00_a.ipynb", "docs/wave.svg",
         "docs/glossary.md"}


@pytest.mark.parametrize("folder,text,expected",
                         [("notebooks", "[next](00_a.ipynb), [top](00_a.ipynb#top)",
                           "[next](00_a.ipynb), [top](00_a.ipynb#top)"),
                          ("notebooks/solutions", "[up](../00_a.ipynb)", "[up](../00_a.ipynb)"),
                          ("", "![W](docs/wave.svg) [terms](docs/glossary.md)",
                           "![W](docs/wave.svg) [terms](docs/glossary.md)"),
                          ("", "[MIT](LICENSE)",
                           "[MIT](https://github.com/OWNER/NAME/blob/main/LICENSE)"),
                          ("notebooks", "[code](../course_utils/audio.py)",
                           "[code](https://github.com/OWNER/NAME/blob/main/course_utils/audio.py)"),
                          ("", "[web](https://example.org/a) [here](#top)",
                           "[web](https://example.org/a) [here](#top)"),
                          ("", "[![Open in Colab](https://x.org/badge.svg)](https://y.org/z)",
                           "[Open in Colab](https://y.org/z)"),
                          ("", "<details><summary>a</summary>$x$</details>",
                           '<details class="mathjax_process"><summary>a</summary>$x$</details>')])
def test_links_lead_where_they_can(monkeypatch, folder, text, expected):
    monkeypatch.setattr(notebooks, "repository", lambda: "OWNER/NAME")
    assert book.page(text, folder, PAGES) == expected


def test_every_notebook_is_a_page_and_has_its_number(tmp_path):
    book.write_sources(tmp_path)
    index = (tmp_path / "index.md").read_text(encoding="utf-8")
    for path in notebooks.all_notebooks():
        name = str(path.relative_to(notebooks.ROOT).with_suffix(""))
        assert f"\n{path.name[:2]} " in index and f"<{name}>" in index
        assert (tmp_path / f"{name}.ipynb").exists()
    assert "Worked answers:" not in index and "badge.svg" not in index
    assert {"conf.py", "_static", "docs", "notebooks"} <= {path.name for path in tmp_path.iterdir()}


def test_a_page_shows_no_marks_and_folds_the_setup_cell_away():
    file = next(path for path in notebooks.all_notebooks()
                if path.name.startswith("00")).relative_to(notebooks.ROOT)
    shown, stored = book.site_notebook(file, PAGES), notebooks.read(notebooks.ROOT / file)
    cells = notebooks.code_cells(shown)
    assert cells[0].metadata["tags"] == ["hide-cell"]
    assert not any("tags" in cell.metadata for cell in cells[1:])
    assert not any(notebooks.COMPARED in cell.source for cell in shown.cells)
    assert [cell.get("outputs") for cell in shown.cells] == [cell.get("outputs")
                                                             for cell in stored.cells]
    assert notebooks.COMPARED in "".join(cell.source for cell in stored.cells)


def test_figures_keep_their_texts(tmp_path, monkeypatch):
    cell = new_code_cell("plt.plot(y);",
                         outputs=[new_output("display_data", {"image/png": "iVBORw0KGgo="},
                                             metadata={"image/png":
                                                       {"alt": "Lines; across: time."}})])
    setup = new_code_cell(notebooks.setup_cell())
    nbformat.write(new_notebook(cells=[setup, cell]), tmp_path / "a.ipynb")
    monkeypatch.setattr(notebooks, "ROOT", tmp_path)
    shown = notebooks.code_cells(book.site_notebook(Path("a.ipynb"), PAGES))
    assert shown[1].metadata["mystnb"]["image"]["alt"] == "Lines; across: time."
    assert "mystnb" not in shown[0].metadata


def test_what_cannot_be_installed_is_said(monkeypatch, capsys, tmp_path):
    def refuse(*arguments, **_):
        raise subprocess.CalledProcessError(2, ["uv"])

    monkeypatch.setattr(book.uv, "run", refuse)
    monkeypatch.setattr(book, "VENV", tmp_path / "venv")
    assert book.main([str(tmp_path / "site")]) == 1
    assert "could not be made" in capsys.readouterr().err
