"""Make slides of the notebooks, one deck each: `python -m tools.slides [--target FOLDER] [NOTEBOOK
...]`.

A cell's tag decides (`slide`, `subslide`, `fragment`, `skip` in the notebook's slideshow metadata,
as JupyterLab's property inspector sets it). A cell without a tag is judged by what it is: a
section's heading with its first paragraph begins a slide, a figure or score goes below it without
its code, players under that, exercises get a slide each, all else stays in the notebook. nbconvert
makes the decks; reveal.js and MathJax are copied beside them, so they work without a network.
"""
import base64
import copy
import html
import itertools
import re
import shutil
import sys
from pathlib import Path

import nbconvert
import nbformat

from tools import book, notebooks

TARGET = notebooks.ROOT / "build" / "slides"
PICTURE, PLAYER = re.compile(r"<img|<svg"), re.compile(r"<audio")
EXERCISE = re.compile(r"^> \*\*Exercise \d\d\.\d", re.MULTILINE)
LEFT_OUT = ("Summary", "Exercises", "Quiz", "Going further")
CONFIG = {"reveal_theme": "simple", "reveal_url_prefix": "reveal",
          "mathjax_url": "mathjax/tex-svg.js", "exclude_input_prompt": True,
          "exclude_output_prompt": True}
# The template starts reveal.js by way of require.js and jQuery from the web, and an older MathJax.
# MathJax leaves outputs alone, and sets no links: a name from outside may hold dollars, too.
START = """<style>
.reveal .slides section { max-height: 100%; overflow: hidden auto; font-size: 26px;
  text-align: left; }
.reveal .jp-OutputArea img, .reveal .jp-OutputArea svg { width: 1000px; max-width: 100%;
  height: auto; max-height: 400px; }
.reveal .jp-OutputArea img { object-fit: contain; object-position: left; }
.reveal audio { width: 30em; max-width: 100%; }</style>
<script>window.MathJax = {tex: {inlineMath: [["$", "$"], ["\\\\(", "\\\\)"]],
    packages: {"[-]": ["html", "require", "autoload"]}},
  options: {ignoreHtmlClass: "tex2jax_ignore|jp-OutputArea"}}</script>
<script src="mathjax/tex-svg.js"></script>
<script src="reveal/dist/reveal.js"></script><script src="reveal/plugin/notes/notes.js"></script>
<script>Reveal.initialize({width: 1200, height: 720, slideNumber: "c/t", hash: true,
  plugins: [RevealNotes]})</script>"""
FROM_THE_WEB = re.compile(r'<script[^>]*src="(?:https?:)?//[^"]*"[^>]*>\s*</script>'
                          r'|<link[^>]*href="(?:https?:)?//[^"]*"[^>]*>'
                          r'|<script type="module">.*?</script>'
                          r'|<script[^>]*mathjax[^>]*>\s*</script>'
                          r'|<script type="text/x-mathjax-config">.*?</script>', re.DOTALL)


def kind(cell: nbformat.NotebookNode) -> str:
    """Return what a cell becomes: its tag, or what its content suggests."""
    if tag := cell.metadata.get("slideshow", {}).get("slide_type"):
        return tag
    if cell.cell_type == "markdown":
        title = re.match(r"#{1,2} (.*)", cell.source)
        begins = title and not title[1].startswith(LEFT_OUT)
        return "slide" if begins or EXERCISE.search(cell.source) else "skip"
    outputs = [output.get("data", {}) for output in cell.get("outputs", [])]
    pages = "".join(str(data.get("text/html", "")) for data in outputs)
    drawn = any({"image/png", "image/svg+xml"} & set(data) for data in outputs)
    if drawn or PICTURE.search(pages):
        return "subslide"
    return "-" if PLAYER.search(pages) else "skip"  # a player stays with what it sounds like


def short(source: str) -> str:
    """Return a cell's exercises, or else a heading with the first paragraph or box below it.

    A slide holds no more. A paragraph that ends with a colon takes the next one with it.
    """
    blocks = [block for block in re.split(r"\n\s*\n", source) if not block.startswith("[![")]
    kept = 3 if blocks[1:] and blocks[1].rstrip().endswith(":") else 2
    return "\n\n".join([block for block in blocks if EXERCISE.search(block)] or blocks[:kept])


def tagged(cell: nbformat.NotebookNode) -> bool:
    """Tell whether somebody chose what becomes of a cell."""
    return "slide_type" in cell.metadata.get("slideshow", {})


def by_section(cell: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Return a cell, or a cell for each section if it is Markdown that nobody tagged."""
    if cell.cell_type != "markdown" or tagged(cell):
        return [cell]
    parts = re.split(r"^(?=## )", cell.source, flags=re.MULTILINE)
    return [nbformat.v4.new_markdown_cell(part, metadata=cell.metadata) for part in parts if part]


def with_texts(cell: nbformat.NotebookNode) -> None:
    """Turn a cell's pictures into HTML that says what they show; nbconvert's slides would not."""
    for output in cell.get("outputs", []):
        if text := notebooks.figure_text(output):
            kind = "image/png" if "image/png" in output.data else "image/svg+xml"
            picture = output.data[kind]
            coded = ("".join(picture.split()) if kind == "image/png"
                     else base64.b64encode(picture.encode()).decode())
            page = f'<img alt="{html.escape(text)}" src="data:{kind};base64,{coded}">'
            output.data = nbformat.from_dict({"text/html": page})


def deck(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return a notebook's slides as a notebook of tagged cells."""
    cells = []
    for cell in itertools.chain(*map(by_section, notebook.cells)):
        told = kind(cell)
        if told == "skip" or (cell.cell_type == "code" and not cell.source.strip()):
            continue
        slide = copy.deepcopy(cell)
        slide.metadata["slideshow"] = {"slide_type": told}
        if cell.cell_type == "markdown" and not tagged(cell):
            slide.source = short(cell.source)
        if cell.cell_type == "code" and not tagged(cell):
            slide.metadata["tags"] = ["remove_input"]
        with_texts(slide)
        cells.append(slide)
    return nbformat.v4.new_notebook(cells=cells, metadata=notebook.metadata)


def convert(notebook: nbformat.NotebookNode, title: str) -> str:
    """Return a deck as a page that runs reveal.js from the folder `reveal` beside it."""
    exporter = nbconvert.SlidesExporter(**CONFIG)
    hide = nbconvert.preprocessors.TagRemovePreprocessor(remove_input_tags={"remove_input"},
                                                         enabled=True)
    exporter.register_preprocessor(hide, enabled=True)
    page, _ = exporter.from_notebook_node(notebook, {"metadata": {"name": title}})
    begin = page.rindex("require(")
    begin, end = page.rindex("<script", 0, begin), page.index("</script>", begin) + len("</script>")
    return FROM_THE_WEB.sub("", page[:begin]) + START + page[end:]


def copy_libraries(target: Path) -> None:
    """Copy reveal.js and MathJax beside the decks.

    Raises:
        RuntimeError: if they cannot be installed.
    """
    book.build_environment()
    reveal = next(book.VENV.glob("**/sphinx_revealjs/_static/revealjs"))
    for part in ("dist", "plugin"):
        shutil.copytree(reveal / part, target / "reveal" / part)
    for theme in (target / "reveal" / "dist" / "theme").glob("*.css"):
        rules = re.sub(r"@import url\(https?://.*?\);", "", theme.read_text(encoding="utf-8"))
        theme.write_text(rules, encoding="utf-8")
    (target / "mathjax").mkdir()
    shutil.copy(book.mathjax(), target / "mathjax" / "tex-svg.js")


def main(arguments: list[str] | None = None) -> int:
    """Make the decks; return 0, or 1 if that is not possible."""
    parser = notebooks.parser(__doc__, notebooks.chapters())
    parser.add_argument("--target", type=Path, default=TARGET,
                        help="the folder to make (default: build/slides)")
    options = parser.parse_args(arguments)
    shutil.rmtree(options.target, ignore_errors=True)
    options.target.mkdir(parents=True)
    try:
        copy_libraries(options.target)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    for path in options.notebooks:
        slides = deck(notebooks.read(path))
        file = options.target / f"{path.stem}.html"
        file.write_text(convert(slides, path.stem), encoding="utf-8")
        print(f"{file}: {len(slides.cells)} slides", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
