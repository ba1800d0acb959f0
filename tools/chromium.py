"""Drive Debian's Chromium with playwright; neither belongs to the course's packages, so both may be missing."""
import contextlib
import importlib
import os
import shutil
from collections.abc import Iterator

CANDIDATES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required")


def lacking() -> str:
    """Return what is missing to open pages in a browser, and how to get it; empty if nothing is."""
    if not _program():
        return "no Chromium (Debian, Ubuntu: apt-get install --no-install-recommends chromium)"
    try:
        importlib.import_module("playwright.sync_api")
    except ModuleNotFoundError:
        return "no playwright (pip install playwright; its own browser is not needed)"
    return ""


def _program() -> str | None:
    return os.environ.get("COURSE_CHROMIUM") or next(filter(None, map(shutil.which, CANDIDATES)), None)


@contextlib.contextmanager
def opened() -> Iterator:
    """Yield a headless browser, a `playwright.sync_api.Browser`.

    Raises:
        RuntimeError: if Chromium or playwright is missing.
    """
    if missing := lacking():
        raise RuntimeError(f"This needs a browser: {missing}.")
    with importlib.import_module("playwright.sync_api").sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_program(), args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()
