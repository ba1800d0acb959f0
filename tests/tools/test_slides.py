"""A deck holds what is shown to a room: headings, pictures, players, exercises; and asks nothing of
the web.
"""
import re
import subprocess

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import book, notebooks, slides, uv


def shows(**data):
    return new_code_cell("draw()",
                         outputs=[new_output("display_data",
                                             {name.replace("_", "/"): x
                                              for name, x in data.items()})])


def tagged(cell, kind):
    cell.metadata["slideshow"] = {"slide_type": kind}
    return cell


PLAYER = '<figure><audio controls src="data:audio/mpeg;base64,xx"></audio></figure>'
CASES = {
    "title": (new_markdown_cell("# Title\n\n[![badge](x)](y)\n\n> box"), "slide"),
    "section": (new_markdown_cell("## 1. Sound\n\nText."), "slide"),
    "prose": (new_markdown_cell("More text."), "skip"),
    "detail": (new_markdown_cell("### Detail\n\nText."), "skip"),
    "exercise": (new_markdown_cell("> **Exercise 05.2** Count."), "slide"),
    "summary": (new_markdown_cell("## Summary\n\nWe counted."), "skip"),
    "quiz": (new_markdown_cell("## Quiz"), "skip"),
    "code": (new_code_cell("x = 1"), "skip"),
    "text output": (shows(text_plain="3"), "skip"),
    "table": (shows(text_html="<table></table>"), "skip"),
    "figure": (shows(image_png="xx"), "subslide"),
    "score": (shows(text_html='<img src="data:image/svg+xml;base64,xx">'), "subslide"),
    "player": (shows(text_html=PLAYER), "-"),
    "picture and player": (shows(text_html=f"<img src='x'>{PLAYER}"), "subslide"),
    "chosen": (tagged(new_markdown_cell("More text."), "fragment"), "fragment"),
    "left out": (tagged(new_markdown_cell("## 2. Aside"), "skip"), "skip"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_cell_becomes_what_it_is_unless_a_tag_says_otherwise(case):
    cell, kind = CASES[case]
    assert slides.kind(cell) == kind


def test_a_slide_holds_a_heading_and_one_paragraph():
    shown = slides.short("## Summary\n\ndone\n\n## Exercises\n\n> **Exercise 05.1** a\n> b")
    assert shown == "> **Exercise 05.1** a\n> b"
    assert slides.short("# T\n\n[![b](x)](y)\n\n> box\n> more\n\ntext") == "# T\n\n> box\n> more"
    assert slides.short(
        "## T\n\nTwo ways:\n\n- one\n- two\n\ntext") == "## T\n\nTwo ways:\n\n- one\n- two"


def test_every_section_of_a_cell_gets_its_slide():
    cell = new_markdown_cell("The last word.\n\n## 3. A\n\na\n\n### Detail\n\n## 4. B\n\nb")
    assert [c.source for c in slides.deck(new_notebook(cells=[cell])).cells] == ["## 3. A\n\na",
        "## 4. B\n\nb"]
    assert [c.source
            for c in slides.deck(
        new_notebook(cells=[tagged(cell, "slide")])).cells] == [cell.source]


def test_a_deck_hides_code_but_not_where_a_tag_wants_it():
    notebook = new_notebook(cells=[CASES["section"][0], shows(image_png="xx"),
                                   tagged(shows(image_png="xx"), "slide"), CASES["prose"][0],
                                   tagged(new_markdown_cell("one\n\ntwo\n\nthree"), "slide")])
    cells = slides.deck(notebook).cells
    assert [cell.metadata.slideshow.slide_type for cell in cells] == ["slide", "subslide", "slide",
                                                                      "slide"]
    assert "remove_input" in cells[1].metadata.tags and "tags" not in cells[2].metadata
    assert cells[3].source.endswith("three")
    assert all("slideshow" not in cell.metadata for cell in notebook.cells[:2])


CHAPTERS = notebooks.chapters()


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.name[:2])
def test_every_chapter_makes_a_talk(path):
    notebook = notebooks.read(path)
    cells = slides.deck(notebook).cells
    kinds = [cell.metadata.slideshow.slide_type for cell in cells]
    assert kinds[0] == "slide" and kinds.count("slide") >= 6 and len(cells) < 80
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    sections = re.findall(r"^## \d+\. .*", notebooks.markdown(notebook), re.MULTILINE)
    assert [line for line in text.splitlines() if line in sections] == sections
    assert text.count("**Exercise") >= len(
        re.findall(r"^> \*\*Exercise", notebooks.markdown(notebook), re.MULTILINE))


def test_a_page_fetches_nothing_and_starts_reveal():
    notebook = new_notebook(cells=[CASES["section"][0], new_code_cell("secret = 1")])
    notebook.cells[1] = shows(text_html=PLAYER)
    page = slides.convert(slides.deck(notebook), "small")
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//|import .* from ['"]https?:""", page)
    assert page.count("Reveal.initialize(") == 1 and "require(" not in page and "<audio" in page
    assert "draw()" not in page
    assert page.index("reveal/dist/reveal.js") < page.index("Reveal.initialize(")


def test_pictures_on_slides_keep_their_texts():
    figure = shows(image_png="iVBORw0KGgo=\n")
    score = shows(**{"image_svg+xml": '<svg role="img" aria-label="Bach &amp; sons"></svg>'})
    figure.outputs[0].metadata["image/png"] = {"alt": "Loss & gain: lines."}
    notebook = new_notebook(cells=[CASES["section"][0], figure, score])
    page = slides.convert(slides.deck(notebook), "talk")
    assert 'alt="Loss &amp; gain: lines." src="data:image/png;base64,iVBORw0KGgo="' in page
    assert 'alt="Bach &amp; sons" src="data:image/svg+xml;base64,' in page
    assert "No description" not in page and "image/png" in notebook.cells[1].outputs[0].data


def test_what_cannot_be_installed_is_said(monkeypatch, capsys, tmp_path):
    def refuse(*arguments, **_):
        raise subprocess.CalledProcessError(2, ["uv"])

    monkeypatch.setattr(uv, "run", refuse)
    monkeypatch.setattr(book, "VENV", tmp_path / "venv")
    assert slides.main(["--target", str(tmp_path / "slides")]) == 1
    assert "network" in capsys.readouterr().err
