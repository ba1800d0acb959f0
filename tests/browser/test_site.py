"""What is wrong with a site is noticed, and nothing is wrong with what `make book` makes."""
import base64
import io
import os
from pathlib import Path

import numpy as np
import pytest

from tests.browser import chromium, site_check

IN_A_BROWSER = pytest.mark.skipif(bool(chromium.lacking()),
                                  reason=f"no page is opened: {chromium.lacking()}")
BOOK = Path(os.environ.get("COURSE_BOOK", ""))  # the folder of a site
OF_THE_BOOK = pytest.mark.skipif("COURSE_BOOK" not in os.environ,
                                 reason="make book examines the site")
SEARCHES = {"spectral gating": "02_preparing_audio", "vanishing gradient": "06_recurrence",
            "harmonise": "08_lstm_composes"}


@OF_THE_BOOK
def test_all_links_within_the_book_lead_somewhere():
    assert site_check.broken_links(BOOK.resolve()) == []


@OF_THE_BOOK
@IN_A_BROWSER
def test_all_pages_of_the_book_are_well():
    assert site_check.examine(BOOK.resolve(), SEARCHES) == []


def write(folder, **pages):
    for name, body in pages.items():
        text = ("<!doctype html><meta name=viewport "
                f"content='width=device-width'><article>{body}</article>")
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return folder


def test_links_within_a_site(tmp_path):
    (tmp_path / "wave.png").touch()
    good = ("<h1 id=top>A</h1><a href='b.html#end'>b</a><a href='#top'></a><a "
            "href='https://x.org'></a><img src='wave.png' alt=a>")
    write(tmp_path, a=good, b="<p id=end></p><a href='a.html'></a><a href='a%2Ehtml?q=1'></a>")
    assert site_check.broken_links(tmp_path) == []
    write(tmp_path, c="<a href='gone.html'></a><a href='a.html#gone'></a><img src='gone.png'>")
    found = "\n".join(site_check.broken_links(tmp_path))
    assert "b.html: picture without" not in found
    assert "c.html: picture without alt text: gone.png" in found
    write(tmp_path, c="<img src='wave.png' alt='wave.png'>")
    assert site_check.broken_links(tmp_path) == ["c.html: picture without alt text: wave.png"]
    assert "c.html: 'gone.html' is not there" in found
    assert "'a.html#gone' has no such anchor" in found and "gone.png" in found


def player(data: bytes = b"") -> str:
    if not data:
        import soundfile

        buffer = io.BytesIO()
        soundfile.write(buffer, np.sin(np.arange(8000) / 8), 16000, format="MP3")
        data = buffer.getvalue()
    return ('<audio controls '
            f'src="data:audio/mpeg;base64,{base64.b64encode(data).decode()}"></audio>')


FAULTS = {"script": ("<script>undefined_thing()</script>", "script:"),
          "console": ("<script>console.error('oh')</script>", "console: oh"),
          "remote": ("<script src='http://127.0.0.1:9/x.js'></script>",
                     "fetches http://127.0.0.1:9"), "mute": (player(b"no sound"),
                                                             "1 players without sound"),
          "wide": ("<div style='width:800px'>wide</div>", "scrolls sideways"),
          "cut": ("<style>body{overflow-x:hidden}</style><div style='width:800px'>cut off</div>",
                  "scrolls sideways"), "formula": ("<span class=math>\\(x\\)</span>",
                                                   "1 formulas not set"),
          "picture": ("<img src='data:image/png;base64,xxxx'>", "picture is broken")}


@IN_A_BROWSER
def test_a_good_site_is_not_complained_of(tmp_path):
    wide = "<div style='overflow-x:auto'><div style='width:800px'>a wide table</div></div>"
    write(tmp_path, a=f"{player()}{wide}<span class=math><mjx-container>x</mjx-container></span>")
    assert site_check.examine(tmp_path) == []


@IN_A_BROWSER
def test_each_fault_is_noticed(tmp_path):
    write(tmp_path, **{name: body for name, (body, _) in FAULTS.items()})
    found = site_check.examine(tmp_path, {"anything": "a.html"})
    for name, (_, told) in FAULTS.items():
        assert any(complaint.startswith(f"{name}.html") and told in complaint
                   for complaint in found), (name)
    assert any("'anything' does not find" in complaint for complaint in found)
