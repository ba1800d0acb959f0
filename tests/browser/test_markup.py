"""No title, label, name, code or output from outside runs as script: Chromium shows it as text."""
import dataclasses
import datetime
import io
import re

import numpy as np
import pytest
import soundfile
from matplotlib.figure import Figure
from nbformat import v4

from course_utils import audio, plots, scores
from course_utils.listening import design, panel
from course_utils.panels import recording, show, sound_map
from course_utils.scores import engraving
from tests.browser import chromium
from tools import book, execute, notebooks, slides, uv

if LACKING := chromium.lacking():
    pytest.skip(f"HOSTILE TEXTS ARE NOT TRIED: {LACKING}", allow_module_level=True)

TEXTS = ("<script>window.hacked=1</script>", '"><img src=x onerror=window.hacked=1>',
         r"\042 onload=\042window.hacked=1\042 a=\042", "'-alert(1)-'", r"$\frac{1}$",
         "</title><script>window.hacked=1</script>", "javascript:window.hacked=1")
SR, Y, READY = 8000, np.sin(np.arange(4000) / 3), (book.VENV / ".ready").exists()
soundfile.write(WAV := io.BytesIO(), Y, SR, format="WAV")
# Touch and press everything, then tell what ran or would run, and each text that the page holds.
TRY = """async () => {
  const all = [...document.querySelectorAll('*')], ours = /hacked|alert/i;
  const links = all.filter(e => ['href', 'xlink:href', 'src', 'action'].some(
    name => /^javascript:/i.test(e.getAttribute(name))));
  for (const e of [...links, ...document.querySelectorAll('button, circle, audio, [role=button]')])
    e.dispatchEvent(new MouseEvent('click', {cancelable: true}));
  await new Promise(done => setTimeout(done, 200));
  const found = {hacked: window.hacked, link: links.length,
    script: all.some(e => /^script$/i.test(e.tagName) && ours.test(e.textContent)),
    handler: all.some(e => [...e.attributes].some(a => /^on/.test(a.name) && ours.test(a.value)))};
  return [Object.keys(found).filter(name => found[name]),
    all.filter(e => !/^script$/i.test(e.tagName)).flatMap(e => [
      e.getAttribute('alt'), e.getAttribute('aria-label'),
      [...e.childNodes].filter(n => n.nodeType === 3).map(n => n.data).join('')]).join('\\n')];
}"""


def engraved(text, path):
    score, file = scores.from_grid([[72, 48]] * 16), path.with_suffix(".svg")
    engraving.engrave(dataclasses.replace(score, title=text), file)
    return file


def uploaded(text, content):
    box, now = recording.upload_sound(Y, SR), datetime.datetime.now()
    box.children[0].children[0].value = ({"name": text, "type": "", "size": 1, "content": content,
                                          "last_modified": now},)
    return box.children[1].value


def study(text):
    return design.Study("small", {text: [Y] * 2, "noise": [Y[::-1]] * 2}, SR, reference=text,
                        anchor="noise", rounds={"pick": 1}, repeats=0)


def begun(text, path):
    box = panel.listening_test(study("Bach"), path.parent)
    box.panel.code.value = text
    box.panel.begin.click()
    return box.panel.text.value + box.panel.status.value


def notebook(text):
    """Return a notebook with a text in its title, in what was printed, and beside a figure."""
    title = re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)  # as Markdown writes it
    outputs = [v4.new_output("stream", text=text), *(
        v4.new_output("display_data", {kind: what}, metadata={kind: {"alt": text}})
        for kind, what in (("text/plain", text), ("image/png", "iVBORw0KGgo=")))]
    link = audio.play(Y, SR, r"$\href{javascript:window.hacked=1}{x}$").data  # for MathJax
    outputs.append(v4.new_output("display_data", {"text/html": link}))
    cells = [v4.new_markdown_cell(f"# {title}"), v4.new_code_cell("1", outputs=outputs)]
    cells[1].metadata["slideshow"] = {"slide_type": "slide"}
    return v4.new_notebook(cells=cells, metadata=execute.METADATA)


def deck(text, path):
    if READY and text == TEXTS[0]:
        slides.copy_libraries(path.parent)  # without them the page is as hostile
    path.write_text(slides.convert(slides.deck(notebook(text)), text), encoding="utf-8")
    return path


def page_of_the_site(text, path):
    """Return a text's page of a site, which is made at the first text."""
    if not READY:
        pytest.skip("no site is made: that takes .venv-book (make book)")
    if text == TEXTS[0]:
        (pages := path.with_name("notebooks")).mkdir()
        path.with_name("README.md").write_text("# Course", encoding="utf-8")
        for k, one in enumerate(TEXTS):
            (pages / f"{k:02}.ipynb").write_text(v4.writes(notebook(one)), encoding="utf-8")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(notebooks, "ROOT", path.parent)
            patch.setattr(notebooks, "NOTEBOOKS", pages)
            patch.setattr(book, "build_environment", lambda: uv.python_in(book.VENV))
            book.render(path.with_name("site"))
    return path.parent / "site" / "notebooks" / path.name


PLACES = {
    "score": engraved, "in a page": lambda text, path: engraved(text, path).read_text("utf-8"),
    "player": lambda text, _: audio.play(Y, SR, text).data,
    "map": lambda text, _: sound_map.sound_map(np.eye(2), [Y, Y], SR, [text, "b"], [text] * 2).data,
    "figure": lambda text, _: plots.picture(Figure((1, 1)), text),
    "animation": lambda text, _: show.animate(lambda _: Figure((1, 1)), 1, text).data,
    "recording": lambda text, _: recording.examine(Y, SR, text).data,
    "file": lambda text, _: uploaded(text, WAV.getvalue()),
    "no sound": lambda text, _: uploaded(text, b"no sound"),
    "trial": lambda text, _: panel.preview(study(text), design.plan(study(text), "QXB")[0]).data,
    "listener's code": begun, "slides": deck, "site": page_of_the_site}


@pytest.fixture(scope="module")
def tabs():
    with chromium.opened() as browser:
        context = browser.new_context()
        context.add_init_script("window.alert = () => { window.hacked = 1 }")
        yield [context.new_page() for _ in TEXTS]


def attempt(tabs, sources):
    """Open HTML or files side by side; return for each what ran, and its texts."""
    for tab, source in zip(tabs, sources):
        tab.goto("about:blank" if isinstance(source, str) else source.as_uri())
        if isinstance(source, str):
            tab.set_content(source)
        tab.evaluate(f"() => {{ window.told = ({TRY})() }}")
    return [tab.evaluate("() => told") for tab, _ in zip(tabs, sources)]


@pytest.mark.parametrize("place", PLACES)
def test_texts_from_outside_are_shown_and_do_not_run(tabs, tmp_path, place):
    made = [PLACES[place](text, tmp_path / f"{k:02}.html") for k, text in enumerate(TEXTS)]
    for text, (ran, shown) in zip(TEXTS, attempt(tabs, made)):
        assert ran == [], text
        wanted = repr(text.upper()) if place == "listener's code" else text
        assert shown.count(wanted) >= (3 if place in ("slides", "site") else 1), text


def test_what_runs_is_noticed(tabs):
    raw = {TEXTS[0]: "script", f'<img alt="{TEXTS[1]}">': "handler", f"<title>{TEXTS[5]}": "script",
           f"<button onclick=\"'{TEXTS[3]}'\">": "handler", f'<a href="{TEXTS[6]}">': "link"}
    assert [ran for ran, _ in attempt(tabs, raw)] == [["hacked", what] for what in raw.values()]
