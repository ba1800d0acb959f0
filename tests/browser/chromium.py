"""Drive Chromium with playwright; it is not among the course's packages, so it may be missing."""
import contextlib
import os
import shutil
from collections.abc import Iterator

from playwright.sync_api import Browser, sync_playwright

CANDIDATES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--autoplay-policy=no-user-gesture-required")
# How many players of a page do not know how long they last.
MUTE = """async () => {
  const players = [...document.querySelectorAll('audio')];
  await Promise.all(players.map(a => new Promise(done => {
    if (a.readyState > 0 || a.error) return done();
    a.addEventListener('loadedmetadata', done); a.addEventListener('error', done);
    setTimeout(done, 10000); a.load();
  })));
  return players.filter(a => !(a.duration > 0)).length;
}"""


def lacking() -> str:
    """Return what is missing to open pages in a browser, and how to get it; empty if nothing is."""
    return ("" if _program() else "no Chromium (Debian, Ubuntu: apt-get install "
            "--no-install-recommends chromium)")


def _program() -> str | None:
    return (os.environ.get("COURSE_CHROMIUM")
            or next(filter(None, map(shutil.which, CANDIDATES)), None))


@contextlib.contextmanager
def opened() -> Iterator[Browser]:
    """Yield a headless browser.

    Raises:
        RuntimeError: if Chromium is missing.
    """
    if missing := lacking():
        raise RuntimeError(f"This needs a browser: {missing}.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_program(), args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()
