"""What is wrong with a static site that opens from disk.

Without a browser: every link and picture leads to a file and an anchor that are there, and every
picture has a text that stands for it. In Chromium: no error in the console, nothing fetched from
elsewhere, formulas set, players that know how long they last, search that finds, and no page that
scrolls sideways on a phone.
"""
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Error

from tests.browser import chromium

PHONE = {"width": 390, "height": 844}
NAMES = ("href", "src", "poster")
FROM_DISK = ("file:", "data:", "blob:")
COUNTED = {"mute": "players without sound", "unset": "formulas not set",
           "wrong": "formulas that MathJax does not understand"}
STATE = """() => {
  const wide = [...document.querySelectorAll('article *')].filter(e => {
    if (e.getBoundingClientRect().right <= innerWidth + 1) return false;
    for (let p = e; p && p !== document.body; p = p.parentElement)
      if (['auto', 'scroll', 'hidden'].includes(getComputedStyle(p).overflowX)) return false;
    return true;
  });
  return {
    scrolls: document.documentElement.scrollWidth > innerWidth,
    wide: wide.slice(0, 3).map(e => e.tagName + ' ' + (e.textContent || '').trim().slice(0, 40)),
    unset: [...document.querySelectorAll('.math')]
      .filter(m => !m.querySelector('mjx-container')).length,
    wrong: document.querySelectorAll('mjx-merror, [data-mjx-error]').length,
    broken: [...document.images].filter(i => i.complete && !i.naturalWidth)
      .map(i => i.src.slice(0, 80)),
  };
}"""


class _Addresses(HTMLParser):
    """Collect a page's addresses and anchors, and pictures without a text."""

    def __init__(self, text: str):
        super().__init__()
        self.addresses, self.anchors, self.wordless = [], {""}, []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list) -> None:
        known = dict(attributes)
        self.anchors |= {known[name] for name in ("id", "name") if known.get(name)}
        self.addresses += [known[name] for name in NAMES if known.get(name)]
        # Sphinx gives the address for want of a text
        if tag == "img" and known.get("alt") in (None, "", known.get("src")):
            self.wordless.append(known.get("src", "")[:80])


def broken_links(site: Path) -> list[str]:
    """Return the links within a site that lead nowhere, and the pictures without a text."""
    pages = {path.resolve(): _Addresses(path.read_text(encoding="utf-8"))
             for path in sorted(site.rglob("*.html"))}
    found = [f"{path.name}: picture without alt text: {source}"
             for path, page in pages.items() for source in page.wordless]
    for path, page in pages.items():
        for address in page.addresses:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists():
                found.append(f"{path.name}: '{address}' is not there")
            elif target in pages and unquote(parts.fragment) not in pages[target].anchors:
                found.append(f"{path.name}: '{address}' has no such anchor")
    return found


def look_at(page, address: str) -> list[str]:
    """Return what is wrong with one page in the browser, in words."""
    found, fetched = [], []
    page.on("console", lambda message: message.type == "error"
            and found.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: found.append(f"script: {error}"))
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(address)
    page.evaluate("() => window.MathJax && MathJax.startup && MathJax.startup.promise")
    state = page.evaluate(STATE) | {"mute": page.evaluate(chromium.MUTE)}
    found += [f"{state[name]} {what}" for name, what in COUNTED.items() if state[name]]
    found += [f"fetches {url}" for url in fetched if not url.startswith(FROM_DISK)]
    found += [f"picture is broken: {source}" for source in state["broken"]]
    if state["scrolls"] or state["wide"]:
        found.append(f"scrolls sideways at {page.viewport_size['width']} pixels: {state['wide']}")
    return found


def search(page, address: str, words: str, wanted: str) -> list[str]:
    """Return a complaint unless the site's search finds a page."""
    try:
        page.goto(f"{address}/search.html?q={words.replace(' ', '+')}")
        page.wait_for_selector(f"#search-results a[href*='{wanted}']", timeout=15000)
    except Error as error:
        return [f"search.html: '{words}' does not find {wanted} ({type(error).__name__})"]
    return []


def examine(site: Path, searches: dict[str, str] | None = None) -> list[str]:
    """Return what is wrong with a site's pages in the browser, in words.

    Args:
        site: its folder.
        searches: words to search for, and a part of the address of a page that should be found.
    """
    found = []
    with chromium.opened() as browser:
        for size in (PHONE, {"width": 1280, "height": 900}):
            for path in sorted(site.rglob("*.html")):
                with browser.new_page(viewport=size) as page:
                    found += [f"{path.name}: {complaint}"
                              for complaint in look_at(page, path.as_uri())]
        for words, wanted in (searches or {}).items():
            with browser.new_page() as page:
                found += search(page, site.as_uri(), words, wanted)
    return found
