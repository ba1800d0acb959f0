"""The workshop kit: plans add up and name what is there, every chapter has its notes, the hub's
settings can be read.
"""
import asyncio
import re
import runpy
import sys
import types
from pathlib import Path

import pytest

from tests.course import hygiene
from tools import notebooks

TEACHING = Path(__file__).parents[2] / "teaching"
CHAPTERS = notebooks.chapters()
PLANS = (TEACHING / "plans.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (\d+) \| (\d+) \| (.+) \|$", re.MULTILINE)
PARTS = re.split(r"^#{2,3} ", PLANS, flags=re.MULTILINE)[1:]
TABLES = {part.splitlines()[0]: [(int(a), int(b), what) for a, b, what in ROW.findall(part)]
          for part in PARTS}
TABLES = {title: rows for title, rows in TABLES.items() if rows}


def test_each_plan_is_as_long_as_it_says():
    lengths = {title: rows[-1][1] for title, rows in TABLES.items()}
    assert lengths.pop("3 hours") == 180 and lengths.pop("1 day") == 480
    assert list(lengths.values()) == [120] * 6


@pytest.mark.parametrize("title", TABLES)
def test_each_minute_is_planned_once_and_nobody_sits_too_long(title):
    rows = TABLES[title]
    assert rows[0][0] == 0 and all(begin < end for begin, end, _ in rows)
    assert [end for _, end, _ in rows[:-1]] == [begin for begin, _, _ in rows[1:]]
    breaks = [(begin, end) for begin, end, what in rows if what.startswith(("Break", "Lunch"))]
    sitting = zip([0, *(end for _, end in breaks)], [*(begin for begin, _ in breaks), rows[-1][1]])
    assert max(until - since for since, until in sitting) <= 100


def sections_of(chapter):
    path = next(path for path in CHAPTERS if path.name[:2] == chapter)
    titles = [title for level, title in hygiene.headings(notebooks.read(path)) if level == 2]
    return {int(number) for title in titles for number in re.findall(r"^(\d+)\. ", title)}


def test_plans_name_sections_and_exercises_that_are_there():
    known = {number for path in CHAPTERS for cell in notebooks.code_cells(notebooks.read(path))
             for number in notebooks.checked_exercises(cell)}
    assert set(re.findall(r"\b\d\d\.\d\b", PLANS)) <= known
    for _, _, what in (row for rows in TABLES.values() for row in rows):
        for chapter, named in re.findall(r"\b(\d\d), sections? ([\d, and to]+)", what):
            numbers = set(map(int, re.findall(r"\d+", named)))
            assert numbers <= sections_of(chapter), what


RUN = re.compile(r"\b(\d\d), (?:sections? ([\d, and to]+?), )?(?:on the blackboard and "
                 r")?(?:run|show)\b")
WORDS, LINES = 200, 15  # read in a minute


def minutes_of(chapter, named):
    """Return the minutes that sections take to read, and the notebook to compute; of all sections,
    if none is named.
    """
    path = next(path for path in CHAPTERS if path.name[:2] == chapter)
    first_last = [(int(a), int(b or a))
                  for a, b in re.findall(r"(\d+)(?: to (\d+))?", named or "1 to 99")]
    readme = (TEACHING.parent / "README.md").read_text(encoding="utf-8")
    seconds = re.search(rf"notebooks/{path.stem}\.ipynb\) .* (\d+) \|$", readme, re.MULTILINE)
    section, minutes = 0, int(seconds[1]) / 60
    for cell in notebooks.read(path).cells:
        for part in re.split(r"^(?=## )", cell.source,
                             flags=re.MULTILINE) if cell.cell_type == "markdown" else [""]:
            if part.startswith("## "):
                section = int((re.match(r"## (\d+)\. ", part) or (0, 0))[1])
            if any(first <= section <= last for first, last in first_last):
                minutes += (len(part.split()) / WORDS if part else len(cell.source.splitlines())
                            / LINES)
    return minutes


@pytest.mark.parametrize("title", TABLES)
def test_what_is_run_has_time_to_be_read_and_talked_about(title):
    for begin, end, what in TABLES[title]:
        needed = sum(minutes_of(chapter, named) for chapter, named in RUN.findall(what))
        assert end - begin >= 1.5 * needed, f"{what}: {needed:.0f} minutes to read and compute"


def test_the_six_weeks_go_through_every_chapter():
    weeks = PLANS.partition("## 6 weeks")[2]
    assert {path.name[:2] for path in CHAPTERS} <= set(re.findall(r"\b(\d\d)\b(?!\.)", weeks))


NOTES = re.split(r"^## ", (TEACHING / "notebooks.md").read_text(encoding="utf-8"),
                 flags=re.MULTILINE)[1:]


def test_every_chapter_has_its_notes_in_order():
    assert [note.splitlines()[0] for note in NOTES] == [path.stem for path in CHAPTERS]


@pytest.mark.parametrize("note", NOTES, ids=lambda note: note[:2])
def test_notes_are_complete_and_name_what_is_there(note):
    assert re.findall(r"^- \*\*(\w+)\.\*\*", note, re.MULTILINE) == ["Purpose", "Ask",
                                                                     "Misconception", "Stuck",
                                                                     "Skip"]
    skipped = note.partition("**Skip.**")[2]
    assert set(
        map(int, re.findall(r"\b\d{1,2}\b",
                            re.sub(r"\d\d\.\d", "", skipped)))) <= sections_of(note[:2])
    assert all(number.startswith(note[:2]) for number in re.findall(r"\d\d\.\d(?!\d)", note)
               if "0.99" not in number)


class Settings:
    """Stand for what JupyterHub hands to its settings file: any section takes any value."""

    def __init__(self):
        self.sections = {}

    def __getattr__(self, name):
        return self.sections.setdefault(name, types.SimpleNamespace())


class Authenticator:
    """Stand for JupyterHub's class of that name, which the course does not install."""

    def normalize_username(self, name):
        return name.lower()


@pytest.fixture(autouse=True)
def jupyterhub(monkeypatch):
    for name in ("jupyterhub", "jupyterhub.auth"):
        module = types.ModuleType(name)
        module.Authenticator = Authenticator
        monkeypatch.setitem(sys.modules, name, module)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_HUB_FOLDER", str(tmp_path))
    monkeypatch.setenv("COURSE_HUB_PASSWORD", "four random words here")
    settings = Settings()
    found = runpy.run_path(str(TEACHING / "jupyterhub_config.py"), {"get_config": lambda: settings})
    (tmp_path / "words").mkdir(exist_ok=True)
    return types.SimpleNamespace(home=tmp_path, settings=settings, **found)


def test_the_hub_admits_names_that_can_be_folders(hub):
    pattern = re.compile(hub.settings.Authenticator.username_pattern)
    assert pattern.fullmatch("ada-2")
    assert not any(pattern.fullmatch(name)
                   for name in ("../ada", "a/b", "", ".", "-x", "ada b", "a" * 40))
    assert not any(hub.NAME.match(name) for name in ("ada bob", "ada<img src=x>", "ada\n"))


def let_in(hub, name, password):
    handler = types.SimpleNamespace(request=types.SimpleNamespace(remote_ip="10.0.0.1"))
    room = hub.RoomAuthenticator()
    return asyncio.run(room.authenticate(handler, {"username": name, "password": password}))


def test_a_name_belongs_to_who_took_it_first(hub, monkeypatch):
    async def at_once(seconds):
        waited.append(seconds)

    waited = []
    monkeypatch.setattr(asyncio, "sleep", at_once)
    assert let_in(hub, "Ada", "four random words here:tulip") == "ada"
    assert let_in(hub, "ada", "four random words here:tulip") == "ada"
    for name, password in (("ada", "four random words here:rose1"), ("bob", "wrong:tulip"),
                           ("bob", "four random words here:abc"), ("ada bob", "x:tulip")):
        assert let_in(hub, name, password) is None
    assert waited == sorted(waited) and waited[-1] >= 1, "wrong passwords take longer and longer"
    assert b"tulip" not in (hub.home / "words" / "ada").read_bytes()


def test_a_learner_gets_the_notebooks_once_and_no_answers(hub):
    spawner = types.SimpleNamespace(user=types.SimpleNamespace(name="ada"))
    hub.give_notebooks(spawner)
    folder = hub.home / "learners" / "ada" / "notebooks"
    assert {path.name for path in CHAPTERS} <= {path.name for path in folder.iterdir()}
    assert not (folder / "solutions").exists()
    (folder / CHAPTERS[0].name).write_text("mine")
    hub.give_notebooks(spawner)
    assert (folder / CHAPTERS[0].name).read_text() == "mine"


def test_a_copy_that_was_cut_short_begins_again(hub):
    unfinished = hub.home / "learners" / "ada" / ".unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "half.ipynb").write_text("half")
    hub.give_notebooks(types.SimpleNamespace(user=types.SimpleNamespace(name="ada")))
    assert not unfinished.exists()
    assert not (hub.home / "learners" / "ada" / "notebooks" / "half.ipynb").exists()


def test_without_a_password_the_hub_does_not_start(tmp_path, monkeypatch):
    monkeypatch.delenv("COURSE_HUB_PASSWORD", raising=False)
    monkeypatch.setenv("COURSE_HUB_FOLDER", str(tmp_path))
    with pytest.raises(SystemExit, match="password"):
        runpy.run_path(str(TEACHING / "jupyterhub_config.py"), {"get_config": Settings})
