"""The listening test in a real JupyterLab: taken by keyboard alone, and resumed after its kernel
was killed.
"""
import importlib.util
import os
import signal
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from course_utils.listening import answer_log
from tests.browser import chromium, lab
from tools import execute

LACKING = (chromium.lacking() or ("" if importlib.util.find_spec("jupyterlab")
                                  else "no JupyterLab (make lab)"))
pytestmark = pytest.mark.skipif(bool(LACKING),
                                reason=f"the listening test is not tried in a browser: {LACKING}")

CELL = """
import os
from pathlib import Path
import numpy as np
from course_utils.listening import design, panel
Path("process").write_text(str(os.getpid()))
sr = 8000
y = 0.3 * np.sin(np.arange(sr) / 5)
sounds = {"Bach": [y] * 3, "LSTM": [y[::-1]] * 3, "noise": [y ** 3] * 3}
study = design.Study("small", sounds, sr, reference="Bach", anchor="noise",
                     rounds={"rate": 1, "pick": 1}, repeats=1)
panel.listening_test(study, ".")"""
FOCUS = "() => document.activeElement.innerText"
HEARD = "() => [...document.querySelectorAll('.listening-test audio')].some(a => a.ended)"
OUTLINE = "() => getComputedStyle(document.activeElement).outlineStyle"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Return JupyterLab's page with the test's first page on it; its attributes are its folder and
    the server.
    """
    folder = tmp_path_factory.mktemp("lab")
    nbformat.write(new_notebook(cells=[new_code_cell(CELL.strip())], metadata=execute.METADATA),
                   folder / "test.ipynb")
    with lab.running(folder) as server, lab.learner() as page:
        server.open(page, "test.ipynb")
        page.folder, page.server, page.wrong = folder, server, server.run_all(page, seconds=240)
        yield page


def says(page, text):
    page.locator(".listening-test").get_by_text(text).first.wait_for(timeout=20000)


def focused(page, text):
    """Wait until the button of this name has the focus."""
    page.wait_for_function(f"() => document.activeElement.innerText === {text!r}", timeout=20000)


def begin(page, code):
    page.locator(".listening-test input").fill(code)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")


def saved(page):
    return [a.trial for path in page.folder.glob("small_*.csv") for a in answer_log.read(path)[0]]


def test_a_question_is_answered_by_keyboard_alone(page):
    assert page.wrong == []
    begin(page, "qxb42")
    says(page, "Question 1 of 9")
    focused(page, "Play")
    assert page.evaluate(OUTLINE) == "solid"
    assert page.locator(".listening-test button:disabled").count() == 5
    page.keyboard.press("Enter")
    says(page, "Playing.")
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUS) == "1 bad" and page.evaluate(OUTLINE) == "solid"
    page.keyboard.press("Space")
    says(page, "to its end")
    assert saved(page) == [0]
    page.wait_for_function(HEARD, timeout=20000)
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    says(page, "Answer 1 is saved.")
    assert saved(page) == [0, 1]


def answer(page, places):
    """Play all and give the first answer, by keyboard alone."""
    focused(page, f"Play{places[0]}")
    for place in places:
        page.keyboard.press("Enter")
        says(page, f"Playing{place}.")
        page.wait_for_function(HEARD, timeout=20000)
        page.keyboard.press("Tab")
    page.keyboard.press("Space")


def test_a_killed_kernel_costs_nothing_and_the_rest_is_taken(page):
    os.kill(int((page.folder / "process").read_text()),
            signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)
    page.locator(".jp-Dialog button").last.click(timeout=60000)
    page.wait_for_function("() => !document.querySelector('.jp-Dialog')")
    before = (page.folder / "process").read_text()
    page.wait_for_timeout(3000)
    page.server.run_all(page, seconds=240)
    for _ in range(300):
        if (page.folder / "process").read_text() != before:
            break
        page.wait_for_timeout(100)
    says(page, "What is kept")
    begin(page, "QXB42")
    for number in range(2, 10):
        says(page, f"Question {number} of 9")
        answer(page, [""] if number <= 5 else [" A", " B"])
    says(page, "Thank you!")
    assert saved(page) == list(range(10))


def test_the_data_are_deleted_by_keyboard(page):
    page.locator(".listening-test button").focus()
    page.keyboard.press("Enter")
    focused(page, "Really delete 9 answers")
    page.keyboard.press("Enter")
    says(page, "Deleted: 9 answers")
    assert saved(page) == [] and not list(page.folder.glob("small_*.csv")) and page.errors == []
