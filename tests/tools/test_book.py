"""The site's pages are made of the notebooks, and what is wrong with a site is noticed."""
import base64
import io
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tools import book, chromium, notebooks, site_check

PAGES = {"notebooks/00_a.ipynb", "notebooks/solutions/00_a.ipynb", "docs/wave.svg",
         "docs/glossary.md"}
IN_A_BROWSER = pytest.mark.skipif(bool(chromium.lacking()),
                                  reason=f"no page is opened: {chromium.lacking()}")


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
        raise book.subprocess.CalledProcessError(2, ["uv"])

    monkeypatch.setattr(book.uv, "run", refuse)
    monkeypatch.setattr(book, "VENV", tmp_path / "venv")
    assert book.main([str(tmp_path / "site")]) == 1
    assert "could not be made" in capsys.readouterr().err


def write(folder, **pages):
    for name, body in pages.items():
        text = ("<!doctype html><meta name=viewport "
                f"content='width=device-width'><article>{body}</article>")
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return folder


def test_links_within_a_site(tmp_path):
    (tmp_path / "wave.png").touch()
    good = ("<h1 id=top>A</h1><a href='b.html#end'>b</a><a href='#top'></a><a "
            "href='https://x.org'></a><img src='wave.png' alt=a>")
    write(tmp_path, a=good, b="<p id=end></p><a href='a.html'></a><a href='a%2Ehtml?q=1'></a>")
    assert site_check.broken_links(tmp_path) == []
    write(tmp_path, c="<a href='gone.html'></a><a href='a.html#gone'></a><img src='gone.png'>")
    found = "\n".join(site_check.broken_links(tmp_path))
    assert "b.html: picture without" not in found
    assert "c.html: picture without alt text: gone.png" in found
    write(tmp_path, c="<img src='wave.png' alt='wave.png'>")
    assert site_check.broken_links(tmp_path) == ["c.html: picture without alt text: wave.png"]
    assert "c.html: 'gone.html' is not there" in found
    assert "'a.html#gone' has no such anchor" in found and "gone.png" in found


def player(data: bytes = b"") -> str:
    if not data:
        import soundfile

        buffer = io.BytesIO()
        soundfile.write(buffer, np.sin(np.arange(8000) / 8), 16000, format="MP3")
        data = buffer.getvalue()
    return ('<audio controls '
            f'src="data:audio/mpeg;base64,{base64.b64encode(data).decode()}"></audio>')


FAULTS = {"script": ("<script>undefined_thing()</script>", "script:"),
          "console": ("<script>console.error('oh')</script>", "console: oh"),
          "remote": ("<script src='http://127.0.0.1:9/x.js'></script>",
                     "fetches http://127.0.0.1:9"), "mute": (player(b"no sound"),
                                                             "1 players without sound"),
          "wide": ("<div style='width:800px'>wide</div>", "scrolls sideways"),
          "cut": ("<style>body{overflow-x:hidden}</style><div style='width:800px'>cut off</div>",
                  "scrolls sideways"), "formula": ("<span class=math>\\(x\\)</span>",
                                                   "1 formulas not set"),
          "picture": ("<img src='data:image/png;base64,xxxx'>", "picture is broken")}


@IN_A_BROWSER
def test_a_good_site_is_not_complained_of(tmp_path):
    wide = "<div style='overflow-x:auto'><div style='width:800px'>a wide table</div></div>"
    write(tmp_path, a=f"{player()}{wide}<span class=math><mjx-container>x</mjx-container></span>")
    assert site_check.examine(tmp_path) == []


@IN_A_BROWSER
def test_each_fault_is_noticed(tmp_path):
    write(tmp_path, **{name: body for name, (body, _) in FAULTS.items()})
    found = site_check.examine(tmp_path, {"anything": "a.html"})
    for name, (_, told) in FAULTS.items():
        assert any(complaint.startswith(f"{name}.html") and told in complaint
                   for complaint in found), (name)
    assert any("'anything' does not find" in complaint for complaint in found)


def test_without_a_browser_the_links_are_still_examined(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(chromium, "lacking", lambda: "no Chromium")
    write(tmp_path, a="<a href='gone.html'></a>")
    assert site_check.report(tmp_path) == 1
    told = capsys.readouterr()
    assert "NOT EXAMINED" in told.err and "gone.html" in told.out
