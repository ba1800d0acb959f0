"""What stands around the course is true: citation, changes, issue forms, Binder, and how to move
house.
"""
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from tools import notebooks, set_repository

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PAGES = [path for folder in (".", "docs", "teaching", "benchmarks")
         for path in sorted((ROOT / folder).glob("*.md"))]
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml"))


def test_citation_agrees_with_the_project():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "title", "message", "authors", "type"} <= set(citation)
    assert str(citation["version"]) == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
    assert citation["repository-code"] == f"https://github.com/{notebooks.repository()}"
    assert [author["name"] for author in citation["authors"]] == [author["name"]
                                                                  for author in PROJECT["authors"]]


def test_changes_begin_with_this_version():
    versions = re.findall(r"^## (\S+?),", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
                          re.MULTILINE)
    assert versions[0] == PROJECT["version"] and len(versions) == len(set(versions))


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_issue_forms_are_forms(path):
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= set(form)
    ids = [field["id"] for field in form["body"]]
    assert len(ids) == len(set(ids)) > 1
    for field in form["body"]:
        assert field["type"] in ("input", "textarea", "dropdown", "checkboxes", "markdown")
        assert field["attributes"]["label"]


def test_the_commands_that_people_are_asked_to_run_exist():
    from course_utils.__main__ import main

    texts = [path.read_text(encoding="utf-8") for path in [*FORMS, *PAGES]]
    commands = {name for text in texts
                for name in re.findall(r"python -m course_utils (\w+)", text)}
    assert {"compose", "doctor"} <= commands
    for name in commands:
        with pytest.raises(SystemExit) as stop:
            main([name, "--help"])
        assert stop.value.code == 0
    rules = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"),
                           re.MULTILINE))
    assert {name for text in texts for name in re.findall(r"(?:`| {4})make (\w+)", text)} <= rules
    tools = {name for text in texts
             for name in re.findall(r"python -m (tools|benchmarks)\.([a-z]\w+)", text)}
    assert [name for name in tools if not ROOT.joinpath(*name).with_suffix(".py").exists()] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    targets = re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8"))
    assert [target for target in targets if not re.match("https?:", target)
            and not (path.parent / target).exists()] == []


def test_binder_gets_the_pins_and_a_python_that_fits():
    folder = ROOT / ".binder"
    included = re.findall(r"^-r (.+)$", (folder / "requirements.txt").read_text(encoding="utf-8"),
                          re.MULTILINE)
    assert [(folder / name).resolve() for name in included] == [ROOT / "requirements.txt"]
    version = (folder / "runtime.txt").read_text(encoding="utf-8").strip().removeprefix("python-")
    assert SpecifierSet(PROJECT["requires-python"]).contains(version)


def test_no_file_is_forgotten_when_the_course_moves():
    address = re.compile(
        rf"(?:github\.com/|google\.com/github/|\.org/v2/gh/){re.escape(notebooks.repository())}")
    known = set(set_repository.files_with_address(ROOT))
    texts = [path for ending in ("md", "cff", "yml", "toml", "ipynb")
             for path in ROOT.rglob(f"*.{ending}") if not {"build", "node_modules"}
             & set(path.parts) and not any(part.startswith(".venv") for part in path.parts)]
    assert [path for path in texts if path not in known and ".ipynb_checkpoints" not in path.parts
            and address.search(path.read_text(encoding="utf-8"))] == []
