"""Widgets in a real browser: JupyterLab runs a small notebook that shows each of them, and a
learner's hand moves something.
"""
import importlib.util

import nbformat
import numpy as np
import pytest
import soundfile
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course_utils.listening import answer_log
from tests.browser import chromium, lab
from tools import execute

LACKING = (chromium.lacking() or ("" if importlib.util.find_spec("jupyterlab")
                                  else "no JupyterLab (make lab)"))
if LACKING:
    pytest.skip(f"WIDGETS ARE NOT TRIED IN A BROWSER: {LACKING}", allow_module_level=True)

CELLS = {
    "begin": """
import numpy as np
from course_utils import audio, exercises
from course_utils.gan import bar_gan
from course_utils.listening import design, panel
from course_utils.lstm import chorale_lstm
from course_utils.panels import composer, feature_explorer, latent_walk, monitor
from course_utils.panels import recording, show, sound_map
sr = 16000
t = np.arange(sr) / sr
y = (0.4 * np.sin(2 * np.pi * 440 * t) + 0.2 * np.sin(2 * np.pi * 1320 * t)).astype(np.float32)""",
    "player": "audio.play(y, sr, 'A tone')",
    "upload": "recording.upload_sound(y, sr)",
    "rate and bits": "recording.explore_rate_and_bits(y, sr)",
    "features": "feature_explorer.feature_explorer(y, sr)",
    "map": "sound_map.sound_map(np.eye(2), [y, y[::-1]], sr, ['one', 'two'], ['a', 'b'])",
    "composer": "composer.composer(chorale_lstm.load())",
    "walk": "latent_walk.explore_walk(bar_gan.load())",
    "monitor": """
import time
seen = []
with monitor.Monitor(5, {"losses": ("critic",)}, sound=lambda: (y, sr)) as watch:
    for step in range(1, 41):
        watch(step, critic=1 / step)
        time.sleep(0.1)""",
    "listening": """
study = design.Study("small", {"Bach": [y] * 3, "noise": [y[::-1]] * 3}, sr,
                     reference="Bach", anchor="noise", rounds={"rate": 1}, repeats=0)
panel.listening_test(study, ".")""",
    "animation": """
import matplotlib.pyplot as plt
def draw(number):
    figure, ax = plt.subplots(figsize=(2, 2))
    ax.bar(0, number)
    ax.set_ylim(0, 2)
    return figure
show.animate(draw, 3, alt="A bar grows")""",
    "exercise": "exercises.check('00.1', 160)\nexercises.progress()",
}
ORDER = list(CELLS)
QUIZ = """## Quiz

**1. What do rests sound like?**
<details><summary>a) Silence</summary>Right. Nobody sings.</details>
<details><summary>b) Noise</summary>No. Nobody sings.</details>"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Return JupyterLab's page, with all cells run; its attribute `folder` is where the notebook
    lies.
    """
    folder = tmp_path_factory.mktemp("lab")
    cells = [new_code_cell(source.strip()) for source in CELLS.values()]
    cells.append(new_markdown_cell(QUIZ))
    nbformat.write(new_notebook(cells=cells, metadata=execute.METADATA), folder / "widgets.ipynb")
    soundfile.write(folder / "mine.wav", np.sin(np.arange(4000) / 5), 8000)
    with lab.running(folder) as server, lab.learner() as page:
        server.open(page, "widgets.ipynb")
        page.wrong, page.folder = server.run_all(page, seconds=240), folder
        yield page


def output(page, name):
    """Return what a cell shows."""
    return page.locator(".jp-CodeCell").nth(ORDER.index(name)).locator(".jp-Cell-outputWrapper")


def changed(page, place, selector, act, attribute="src"):
    """Do something, and wait until an attribute of an element is another one than before; return
    both.
    """
    before = place.locator(selector).first.get_attribute(attribute)
    act()
    for _ in range(300):
        after = (place.locator(selector).first.get_attribute(attribute)
                 if place.locator(selector).count() else before)
        if after != before:
            return before, after
        page.wait_for_timeout(100)
    raise AssertionError(f"{selector} stayed the same")


def test_everything_runs_without_an_error_or_a_warning(page):
    assert page.wrong == [] and page.errors == []
    assert page.locator("audio").count() >= 5 and page.evaluate(chromium.MUTE) == 0


def test_a_player_plays(page):
    player = output(page, "player").locator("audio")
    player.evaluate("a => { a.muted = true; return a.play() }")
    page.wait_for_function("a => a.currentTime > 0.1", arg=player.element_handle(), timeout=20000)


def test_a_slider_changes_picture_and_player(page):
    place = output(page, "rate and bits")
    handle = place.locator(".widget-hslider .noUi-handle").nth(1)

    def fewer_bits():
        handle.focus()
        for _ in range(4):
            page.keyboard.press("ArrowLeft")

    player = place.locator("audio").get_attribute("src")
    changed(page, place, "img", fewer_bits)
    place.get_by_text("16000 Hz, 4 bits").wait_for(timeout=20000)
    assert place.locator("audio").get_attribute("src") != player


def choose_file(page, place, file):
    with page.expect_file_chooser() as chooser:
        place.get_by_role("button", name="Choose a file").click()
    chooser.value.set_files(file)


def test_a_file_from_the_computer_is_examined(page):
    place = output(page, "upload")
    changed(page, place, "img", lambda: choose_file(page, place, page.folder / "mine.wav"))
    assert "mine.wav" in place.inner_text() and "8000 Hz" in place.inner_text()


def test_a_file_that_is_no_sound_is_explained(page):
    place = output(page, "upload")
    choose_file(page, place, {"name": "x.wav", "mimeType": "audio/wav", "buffer": b"no sound"})
    place.get_by_text("'x.wav'").wait_for(timeout=20000)
    assert place.locator("img").count() == 0


def test_another_feature_is_drawn(page):
    place = output(page, "features")
    before, after = changed(page, place, "img",
                            lambda: place.locator("select").first.select_option("chroma"), "alt")
    assert before.startswith("log-mel") and after.startswith("chroma")
    assert place.locator("audio").count() == 0 and "Octave" in place.inner_text()


def test_a_dot_of_the_map_plays_by_mouse_and_by_key(page):
    place = output(page, "map")
    page.evaluate("() => { window.played = []; const Real = window.Audio;window.Audio = "
                  "function(source) { const a = new Real(source); a.muted = true; played.push(a); "
                  "return a; } }")
    place.locator("circle").nth(0).click()
    place.locator("circle").nth(1).focus()
    page.keyboard.press("Enter")
    page.wait_for_function("() => played.length === 2 && played.every(a => a.duration > 0.9 && "
                           "a.currentTime > 0)", timeout=20000)


def test_another_seed_composes_another_piece(page):
    place = output(page, "composer")
    player = place.locator("audio").get_attribute("src")
    seed = place.locator("input[type=number]")

    def choose():
        seed.fill("2")
        seed.press("Enter")

    changed(page, place, "img[alt='The score']", choose)
    assert "seed 2" in place.inner_text() and place.locator("audio").get_attribute("src") != player


def test_a_step_on_the_walk_is_another_bar(page):
    place = output(page, "walk")
    player = place.locator("audio").get_attribute("src")
    way = place.locator(".widget-hslider .noUi-handle").first

    def go():
        way.focus()
        for _ in range(10):
            page.keyboard.press("ArrowRight")

    changed(page, place, "img", go)
    for _ in range(100):
        if place.locator("audio").get_attribute("src") != player:
            break
        page.wait_for_timeout(100)
    assert place.locator("audio").get_attribute("src") != player
    assert place.locator("img").count() == 1


def test_the_monitor_changes_while_the_cell_runs(page):
    place, cell = output(page, "monitor"), page.locator(".jp-CodeCell").nth(ORDER.index("monitor"))
    cell.locator(".cm-content").click()
    page.evaluate("""() => { window.pages = new Set(); window.watching = setInterval(() =>
        document.querySelectorAll("img[alt^='Training after']").forEach(
            i => pages.add(i.alt)), 20) }""")
    page.keyboard.press("Control+Enter")
    page.wait_for_timeout(1000)
    place.locator("img[alt^='Training after 40 steps']").wait_for(state="attached", timeout=30000)
    steps = {int(alt.split()[2])
             for alt in page.evaluate("() => { clearInterval(watching); return [...pages] }")}
    assert len(steps) >= 4 and place.locator("img").count() == 1


def test_an_answer_in_the_listening_test_is_saved(page):
    place = output(page, "listening")
    place.get_by_role("button", name="I agree, begin").click()
    place.get_by_role("button", name="Play", exact=True).click()
    place.locator("audio").wait_for(state="attached", timeout=20000)
    page.wait_for_timeout(1500)
    place.get_by_role("button", name="4", exact=False).first.click()
    place.get_by_text("is saved").wait_for(timeout=20000)
    (file,) = page.folder.glob("*.csv")
    assert [(answer.trial, answer.answer) for answer in answer_log.read(file)[0]][1:] == [(1, "4")]


def test_progress_is_shown(page):
    text = output(page, "exercise").inner_text()
    assert "00.1 PASS" in text and "✓ · ·" in text


def test_an_animation_moves(page):
    picture, seen = output(page, "animation").get_by_alt_text("A bar grows"), set()
    for _ in range(50):
        seen.add(picture.screenshot())
        if len(seen) >= 2:
            return
        page.wait_for_timeout(100)
    raise AssertionError("The animation stands still.")


def test_an_answer_of_the_quiz_opens_on_a_click(page):
    quiz = page.locator(".jp-MarkdownOutput details")
    closed = [quiz.nth(number).bounding_box()["height"] for number in range(2)]
    quiz.get_by_text("a) Silence").click()
    opened = [quiz.nth(number).bounding_box()["height"] for number in range(2)]
    assert opened[0] > 1.5 * closed[0] and opened[1] == closed[1]
    assert "Right. Nobody sings." in quiz.nth(0).inner_text()
