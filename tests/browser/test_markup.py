"""No title, label, name, code, answer or stored output from outside runs as script where the course
shows it: Chromium loads what is made of hostile texts, and shows them as they are written.
"""
import io
import re

import nbformat
import numpy as np
import pytest
import soundfile
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course_utils import audio, plots, scores
from course_utils.listening import design, panel
from course_utils.measuring import judging_plots
from course_utils.panels import recording, show, sound_map
from course_utils.scores import engraving
from tests.browser import chromium
from tools import book, notebooks, slides

if LACKING := chromium.lacking():
    pytest.skip(f"HOSTILE TEXTS ARE NOT TRIED: {LACKING}", allow_module_level=True)

TEXTS = ("<script>window.hacked=1</script>", '"><img src=x onerror=window.hacked=1>',
         r"\042 onload=\042window.hacked=1\042 a=\042", "'-alert(1)-'", r"$\frac{1}$",
         "</title><script>window.hacked=1</script>", "javascript:window.hacked=1")
SR = 8000
Y = (0.3 * np.sin(np.arange(SR // 2) / 3)).astype(np.float32)
SCORE = scores.from_grid([[72, 48], [72, 48], [74, 48], [76, 48]] * 4, key=0)
PNG = plots.picture(Figure((1, 1)), "x").split("base64,")[1].split('"')[0]
# Press and touch everything, then tell what ran or would run, and all texts that the page holds.
TRY = """async () => {
  const all = [...document.querySelectorAll('*')], own = /hacked|alert/i;
  for (const e of document.querySelectorAll('button, circle, audio, summary, [role=button]'))
    for (const kind of ['mouseover', 'focus', 'click']) e.dispatchEvent(new MouseEvent(kind));
  all.filter(e => /^javascript:/i.test(e.getAttribute('href'))).forEach(e =>
    e.dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true})));
  await new Promise(done => setTimeout(done, 200));
  const attributes = all.flatMap(e => [...e.attributes]);
  return {
    ran: window.hacked, scripts: [...document.scripts].filter(s => own.test(s.text)).length,
    handlers: attributes.filter(a => /^on/i.test(a.name) && own.test(a.value)).map(a => a.name),
    addresses: attributes.filter(a => /^javascript:/i.test(a.value)
      && !['alt', 'aria-label', 'title', 'content'].includes(a.name)).map(a => a.name),
    text: all.filter(e => !['SCRIPT', 'STYLE'].includes(e.tagName)).flatMap(e => [e.textContent,
      e.getAttribute('alt'), e.getAttribute('aria-label')]).join('\\n')};
}"""


def study(text):
    return design.Study("small", {text: [Y] * 2, "noise": [Y[::-1]] * 2}, SR, reference=text,
                        anchor="noise", rounds={"pick": 1}, repeats=0)


def engraved(text, path=None):
    from dataclasses import replace

    return engraving.engrave(replace(SCORE, title=text), path)


def as_a_file(text, folder):
    engraved(text, folder / "score.svg")
    return folder / "score.svg"


def upload(text, content):
    box = recording.upload_sound(Y, SR)
    box.children[0].children[0].value = ({"name": text, "type": "audio/wav", "size": len(content),
                                          "content": content, "last_modified": 0},)
    return box.children[1].value


def wav():
    buffer = io.BytesIO()
    soundfile.write(buffer, Y, SR, format="WAV")
    return buffer.getvalue()


def begun(text, folder):
    """Return the listening test's page after a listener's code that is none."""
    made = panel.listening_test(study(text), folder).panel
    made.code.value = text
    made.begin.click()
    return made.text.value + made.status.value


def notebook(text):
    """Return a notebook with a text in its title, beside a figure, and in what was printed."""
    title = re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)  # as Markdown writes it
    outputs = [new_output("stream", name="stdout", text=f"{text}\n"),
               new_output("execute_result", {"text/plain": text}, execution_count=1),
               new_output("display_data", {"image/png": PNG}, metadata={"image/png": {"alt": text}})]
    cells = [new_markdown_cell(f"# {title}\n\nWords."), new_code_cell("1"),
             *(new_code_cell("1", outputs=[output], metadata={
                 "slideshow": {"slide_type": "slide"}}) for output in outputs)]
    return new_notebook(cells=cells)


def deck(text, folder):
    if (book.VENV / ".ready").exists():  # or else without reveal.js and MathJax
        slides.copy_libraries(folder)
    page = slides.convert(slides.deck(notebook(text)), text)
    (folder / "deck.html").write_text(page, encoding="utf-8")
    return folder / "deck.html"


PLACES = {
    "score as a file": as_a_file, "score in a page": lambda text, _: engraved(text),
    "player": lambda text, _: audio.play(Y, SR, text).data,
    "table of players": lambda text, _: judging_plots.players({text: ((text,), Y)}, [text],
                                                              SR).data,
    "map": lambda text, _: sound_map.sound_map(np.eye(2), [Y, Y], SR, [text, "b"], [text, "b"]).data,
    "figure": lambda text, _: plots.picture(Figure((1, 1)), text),
    "recording": lambda text, _: recording.examine(Y, SR, text).data,
    "uploaded file": lambda text, _: upload(text, wav()),
    "file that is no sound": lambda text, _: upload(text, b"no sound"),
    "preview": lambda text, _: panel.preview(study(text), design.plan(study(text), "QXB42")[0]).data,
    "listener's code": begun, "animation": lambda text, _: show.animate(lambda _: Figure((1, 1)), 1,
                                                                        text).data,
    "slides": deck}


@pytest.fixture(scope="module")
def attempt():
    """Return what opens a page (HTML, or a file) and tells what ran and what is shown."""
    with chromium.opened() as browser:
        def opens(shown):
            dialogs = []
            with browser.new_page() as page:
                page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
                (page.set_content(shown) if isinstance(shown, str) else page.goto(shown.as_uri()))
                found = page.evaluate(TRY)
            text = found.pop("text")
            return {name: what for name, what in (found | {"dialogs": dialogs}).items() if what}, text
        yield opens


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("place", PLACES)
def test_a_text_from_outside_is_shown_and_does_not_run(attempt, tmp_path, place, text):
    ran, shown = attempt(PLACES[place](text, tmp_path))
    assert ran == {}
    assert (repr(text.upper()) if place == "listener's code" else text) in shown


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Return the folder of a site's notebooks, one for each text."""
    if not (book.VENV / ".ready").exists():
        pytest.skip("no site is made: it takes .venv-book (make book)")
    root = tmp_path_factory.mktemp("course")
    (root / "notebooks").mkdir()
    (root / "README.md").write_text("# Course\n", encoding="utf-8")
    for number, text in enumerate(TEXTS):
        nbformat.write(notebook(text), root / "notebooks" / f"{number:02}_a.ipynb")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(notebooks, "ROOT", root)
        patch.setattr(notebooks, "NOTEBOOKS", root / "notebooks")
        book.render(root / "site")
    return root / "site" / "notebooks"


@pytest.mark.parametrize("number", range(len(TEXTS)))
def test_a_page_of_the_site_shows_a_text_and_does_not_run_it(attempt, site, number):
    ran, shown = attempt(site / f"{number:02}_a.html")
    assert ran == {} and shown.count(TEXTS[number]) >= 3


def test_a_study_has_no_such_name():
    for text in TEXTS:
        with pytest.raises(ValueError, match="name"):
            design.Study(text, {"a": [Y] * 2, "b": [Y] * 2}, SR, "a", "b")


@pytest.mark.parametrize("page,noticed", [
    (f"<p>{TEXTS[0]}</p>", {"ran", "scripts"}), (f'<img alt="{TEXTS[1]}">', {"ran", "handlers"}),
    (f"<button onclick=\"'{TEXTS[3]}'\">x</button>", {"dialogs", "handlers"}),
    (f"<title>{TEXTS[5]}</title>", {"ran", "scripts"}),
    (f'<a href="{TEXTS[6]}">x</a>', {"ran", "addresses"})])
def test_what_runs_is_noticed(attempt, page, noticed):
    assert set(attempt(page)[0]) == noticed
