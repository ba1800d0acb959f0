"""The notebooks are one course: numbered without gaps, each leads to the next, and what the prose
names is there.
"""
import importlib
import re
from pathlib import Path

import pytest

from tests.course import hygiene
from tools import notebooks

ROOT = Path(__file__).parents[2]
CHAPTERS = notebooks.chapters()
MODULES = {path.stem for path in (ROOT / "course_utils").glob("*.py")} | {"exercises"}
CALLED = re.compile(r"`(?:course_utils\.)?(\w+)\.(\w+)(?:\(|`)")
each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.name[:2])


def test_chapters_are_numbered_without_gaps():
    assert [path.name[:2] for path in CHAPTERS] == [f"{number:02}"
                                                    for number in range(len(CHAPTERS))]


@pytest.mark.parametrize("path,following", [*zip(CHAPTERS, CHAPTERS[1:])],
                         ids=lambda path: path.name[:2])
def test_a_chapter_leads_to_the_next(path, following):
    assert following.stem in hygiene.section(notebooks.read(path), "Going further")


@each_chapter
def test_notebooks_that_the_prose_names_are_there(path):
    named = set(re.findall(r"\bnotebooks?\s+(\d\d)\b", notebooks.markdown(notebooks.read(path))))
    assert named <= {chapter.name[:2] for chapter in CHAPTERS}
    files = set(re.findall(r"\b(\d\d_[a-z_]+)\b", notebooks.markdown(notebooks.read(path))))
    assert files <= {chapter.stem for chapter in CHAPTERS}


@each_chapter
def test_helpers_that_the_prose_names_are_there(path):
    gone = [f"{module}.{name}"
            for module, name in CALLED.findall(notebooks.markdown(notebooks.read(path)))
            if module in MODULES and not hasattr(importlib.import_module(f"course_utils.{module}"),
                                                 name)]
    assert gone == []


def test_readme_lists_every_chapter_in_order():
    listed = re.findall(r"^\| \[(\d\d) [^\]]+\]\(notebooks/(\w+\.ipynb)\)",
                        (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    assert [file for _, file in listed] == [path.name for path in CHAPTERS]
    assert all(file.startswith(number) for number, file in listed)


@pytest.mark.parametrize("text,found",
                         [("`audio.play` and `audio.play(y, sr)`", 2),
                          ("`course_utils.audio.play(y)`", 1), ("audio.play", 0), ("`y.mean()`", 1),
                          ("`a.b.c`", 0)])
def test_names_in_prose_are_recognised(text, found):
    assert len(CALLED.findall(text)) == found
