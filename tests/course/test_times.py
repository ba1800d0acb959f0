"""README's times are those of the notebooks, and both can be believed."""
import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tools import execute, notebooks, times

TEXT = times.README.read_text(encoding="utf-8")
ROWS = {name: (int(minutes), int(seconds)) for _, name, minutes, seconds in times.ROW.findall(TEXT)}
CHAPTERS = notebooks.chapters()
each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.name[:2])


def test_readme_says_what_the_command_would_write():
    assert list(ROWS) == [path.stem for path in CHAPTERS]
    assert times.TOTAL.search(TEXT) and times.table(TEXT, {}) == TEXT


def test_all_together_stay_within_twenty_minutes_and_each_within_three():
    seconds = [seconds for _, seconds in ROWS.values()]
    assert sum(seconds) <= 20 * 60 and max(seconds) <= 180


@each_chapter
def test_what_a_notebook_promises_is_enough_to_read_and_run_it(path):
    minutes, computing = times.promised(path)
    notebook = notebooks.read(path)
    words = len(re.sub(r"<[^>]*>|\]\([^)]*\)", " ", notebooks.markdown(notebook)).split())
    lines = sum(len(cell.source.splitlines()) for cell in notebooks.code_cells(notebook))
    reading = words / 150 + lines / 15  # a minute takes 150 words, or 15 lines of code
    assert reading + computing <= minutes <= 90 and ROWS[path.stem][1] <= 60 * computing


def test_measured_seconds_and_sums_are_written():
    first, second = CHAPTERS[:2]
    changed = times.table(TEXT, {first.stem: 6000.4})
    found = {name: int(seconds) for _, name, _, seconds in times.ROW.findall(changed)}
    assert found == {name: seconds for name, (_, seconds) in ROWS.items()} | {first.stem: 6000}
    assert f"**{sum(found.values()) / 60:.0f} minutes**" in changed


def test_the_command_runs_only_what_it_is_told(tmp_path, monkeypatch, capsys):
    nbformat.write(new_notebook(cells=[new_code_cell("1 + 1")]), tmp_path / "00_welcome.ipynb")
    monkeypatch.setattr(times, "README", tmp_path / "README.md")
    times.README.write_text(TEXT, encoding="utf-8")
    monkeypatch.setattr(execute, "run", lambda notebook, folder: (77.0, 1.0))
    assert times.main([]) == 0 and times.README.read_text(encoding="utf-8") == TEXT
    assert times.main(["--measure", str(tmp_path / "00_welcome.ipynb")]) == 0
    assert "00_welcome: 77 s" in capsys.readouterr().out
    assert re.search(r"00_welcome\.ipynb.* \| 77 \|$", times.README.read_text(encoding="utf-8"),
                     re.MULTILINE)


@pytest.mark.slow
def test_a_notebook_that_fails_leaves_readme_alone(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(times, "README", tmp_path / "README.md")
    times.README.write_text(TEXT, encoding="utf-8")
    nbformat.write(new_notebook(cells=[new_code_cell("1 / 0")], metadata=execute.METADATA),
                   tmp_path / "00_welcome.ipynb")
    assert times.main(["--measure", str(tmp_path / "00_welcome.ipynb")]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert times.README.read_text(encoding="utf-8") == TEXT
