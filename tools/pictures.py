"""Take README's pictures of the widgets, as JupyterLab in Chromium shows them: `python -m tools.pictures [FOLDER]`."""
import argparse
import io
import sys
import tempfile
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image

from course_utils import environment
from tools import chromium, execute, lab, notebooks

TARGET = notebooks.ROOT / "docs"
WIDTH = 1000  # pixels
CELLS = {
    "composer": """
from course_utils import composer, networks

composer.composer(networks.load_chorale_lstm())""",
    "latent_walk": """
from course_utils import gan_bars, latent_walk

latent_walk.explore_walk(gan_bars.load_bar_generator())""",
}


def shoot(folder: Path) -> dict[str, Image.Image]:
    """Run a notebook with a cell for each widget; return a picture of each cell with its output.

    Args:
        folder: an empty folder to put the notebook into.

    Raises:
        RuntimeError: if Chromium is missing, or a cell fails.
        TimeoutError: if JupyterLab or the kernel does not start.
    """
    cells = [new_code_cell(source.strip()) for source in [*CELLS.values(), ""]]  # the last one, empty, is the one that is marked
    nbformat.write(new_notebook(cells=cells, metadata=execute.METADATA), folder / "widgets.ipynb")
    with lab.learner() as page, lab.running(folder) as server:
        page.set_viewport_size({"width": WIDTH, "height": 1600})
        server.open(page, "widgets.ipynb")
        page.keyboard.press("Control+b")  # the list of files takes room
        if wrong := server.run_all(page):
            raise RuntimeError("\n".join(wrong))
        page.wait_for_timeout(2000)
        places = (page.locator(".jp-CodeCell").nth(number) for number in range(len(CELLS)))
        return {name: Image.open(io.BytesIO(place.screenshot())) for name, place in zip(CELLS, places)}


def main(arguments: list[str] | None = None) -> int:
    """Take the pictures and store them; return 1 if that is not possible."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=TARGET, help="where to store them (default: docs)")
    target = parser.parse_args(arguments).folder
    if missing := chromium.lacking():
        print(f"This needs a browser: {missing}.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        for name, picture in shoot(Path(folder)).items():
            path = target / f"{name}.webp"
            with environment.writing(path) as temporary:
                picture.convert("RGB").save(temporary, "WEBP", quality=80, method=6)
            print(f"{path}: {picture.width} x {picture.height}, {path.stat().st_size / 1e3:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
