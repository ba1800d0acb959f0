"""Render the course as a site to read without installing anything: `python -m tools.book [FOLDER]`.

The notebooks are shown with their stored outputs. Sphinx runs in an environment of its own,
.venv-book; MathJax is copied into the site, so that it opens from disk and without a network.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat

from tools import notebooks, uv

VENV = notebooks.ROOT / ".venv-book"
TARGET = notebooks.ROOT / "build" / "book"
SETTINGS = notebooks.ROOT / "docs" / "book"
# MathJax and reveal.js as packages that pip can install; what else they hold is not used
LIBRARIES = ("django-static-mathjax==3.2.2.1", "sphinx-revealjs==3.2.1")
BADGE = re.compile(r"\[!\[([^\]]*)\]\(https?://[^)]*\)\]\(([^)]*)\)")
LINK = re.compile(r"(?<=\]\()(?!https?:|#|mailto:|data:|attachment:)([^)\s#]+)")
TITLES = {"notebooks": "The notebooks", "docs": "More", "notebooks/solutions": "Worked answers"}


def build_environment() -> Path:
    """Make .venv-book with Sphinx, MathJax and reveal.js in it; return its Python.

    Raises:
        RuntimeError: if they cannot be installed.
    """
    return uv.prepare(VENV, sys.executable, ["--requirement", str(SETTINGS / "requirements.txt")],
                      ["--no-deps", *LIBRARIES])


def mathjax() -> Path:
    """Return MathJax with all of TeX and SVG output in one file, as .venv-book has it."""
    return next(VENV.glob("**/mathjax/static/mathjax/es5/tex-svg-full.js"))


def page(text: str, folder: str, pages: set[str]) -> str:
    """Return a page's Markdown as the site needs it: badges become links, since their pictures lie
    on the web; links to what is no page of the site lead to the repository.

    Args:
        text: the Markdown.
        folder: where the page lies in the repository, such as `notebooks`.
        pages: paths of all pages and files of the site, seen from the repository's root.
    """
    def lead(match: re.Match) -> str:
        path = os.path.normpath(os.path.join(folder, match[1]))
        return (match[1] if path in pages
                else f"https://github.com/{notebooks.repository()}/blob/main/{path}")

    text = LINK.sub(lead, BADGE.sub(r"[\1](\2)", text))
    return text.replace("<details>", '<details class="mathjax_process">')


def site_notebook(file: Path, pages: set[str]) -> nbformat.NotebookNode:
    """Return a notebook as the site shows it: without marks for tests, its set-up folded away."""
    notebook = notebooks.read(notebooks.ROOT / file)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = page(cell.source, str(file.parent), pages)
        else:
            cell.source = cell.source.removeprefix(notebooks.COMPARED).lstrip("\n")
            if texts := notebooks.figure_texts(cell):
                # MyST-NB reads the cell's, not the output's
                cell.metadata["mystnb"] = {"image": {"alt": " ".join(texts)}}
    notebooks.code_cells(notebook)[0].metadata["tags"] = ["hide-cell"]
    return notebook


def write_sources(folder: Path) -> None:
    """Write the site's sources: README as first page, the notebooks, docs/, Sphinx's settings."""
    files = [path.relative_to(notebooks.ROOT)
             for path in [*notebooks.all_notebooks(), *(notebooks.ROOT / "docs").glob("*.*")]]
    pages = {str(path) for path in files}
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        if file.suffix == ".ipynb":
            nbformat.write(site_notebook(file, pages), folder / file)
        elif file.suffix == ".md":
            text = (notebooks.ROOT / file).read_text(encoding="utf-8")
            (folder / file).write_text(page(text, str(file.parent), pages), encoding="utf-8")
        else:
            shutil.copy(notebooks.ROOT / file, folder / file)
    readme = (notebooks.ROOT / "README.md").read_text(encoding="utf-8")
    (folder / "index.md").write_text(f"{page(readme, '', pages)}\n{contents(files)}",
                                     encoding="utf-8")
    (folder / "_static" / "mathjax").mkdir(parents=True, exist_ok=True)
    shutil.copy(SETTINGS / "conf.py", folder)
    shutil.copy(SETTINGS / "book.css", folder / "_static")


def contents(files: list[Path]) -> str:
    """Return the tables of contents beside the site's pages; notebooks have their numbers."""
    groups: dict[str, list[str]] = {}
    for file in sorted(files):
        name = str(file.with_suffix(""))
        if file.suffix == ".ipynb":
            first = notebooks.read(notebooks.ROOT / file).cells[0].source
            title = re.match("# (?:Worked answers: )?(.*)", first)[1]
            name = f"{file.name[:2]} {title} <{name}>"
        if file.suffix in (".ipynb", ".md"):
            groups.setdefault(str(file.parent), []).append(name)
    tree = "```{{toctree}}\n:hidden:\n:maxdepth: 1\n:caption: {}\n\n{}\n```\n"
    return "\n".join(tree.format(title, "\n".join(groups[group]))
                     for group, title in TITLES.items() if group in groups)


def render(target: Path) -> None:
    """Make the site in a folder, which is replaced.

    Raises:
        RuntimeError: if Sphinx cannot be installed, or has something to complain of.
    """
    python, sources = build_environment(), target.with_name(f"{target.name}-source")
    for folder in (target, sources):
        shutil.rmtree(folder, ignore_errors=True)
    write_sources(sources)
    shutil.copy(mathjax(), sources / "_static" / "mathjax" / "tex-svg.js")
    command = [str(python), "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going",
               "-d", str(sources / "doctrees"), str(sources), str(target)]
    if subprocess.run(command).returncode:
        raise RuntimeError("The site could not be made (see above).")
    shutil.rmtree(sources)
    for left in (".buildinfo", "objects.inv"):
        (target / left).unlink(missing_ok=True)


def main(arguments: list[str] | None = None) -> int:
    """Make the site; return 0, or 1 if that is not possible."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=TARGET,
                        help="where to make it (default: build/book)")
    target = parser.parse_args(arguments).folder.resolve()
    try:
        render(target)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    count = len(list(target.rglob("*.html")))
    print(f"{target / 'index.html'}: {count} pages, {size / 1e6:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
