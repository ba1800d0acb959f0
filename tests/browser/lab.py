"""A learner's hand in JupyterLab: it opens a notebook in Chromium, runs all of it, and complains of
errors, warnings, players without sound, widgets without controls and errors in the console.
"""
import contextlib
import io
import json
import os
import secrets
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from tests.browser import chromium
from tools import servers

TOKEN = secrets.token_hex(16)  # another one each time, or any local user could come in
STARTING, CELL = 90, 600  # seconds
# errors and warnings alike
TOLD = ".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']"
TRACEBACK = "Traceback (most recent call last)"
RAN = f"""() => [...document.querySelectorAll(`{TOLD}`)]
  .some(o => o.innerText.includes(`{TRACEBACK}`))
  || [...document.querySelectorAll('.jp-CodeCell')]
     .filter(c => c.querySelector('.cm-content').innerText.trim())
     .every(c => /\\[\\d+\\]/.test(c.querySelector('.jp-InputPrompt').innerText))"""
SHEET = ".jp-Notebook .jp-WindowedPanel-outer, .jp-Notebook.jp-WindowedPanel-outer"
BROKEN = """() => [...document.querySelectorAll('.jp-OutputArea-output')]
  .filter(o => /^(Error displaying|Loading) widget/.test(o.innerText)).length"""
# Cells out of sight would have no place in the page.
SETTINGS = {"@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
            "@jupyterlab/apputils-extension:notification": {"fetchNews": "false",
                                                            "checkForUpdates": False}}


class Lab:
    """A running JupyterLab.

    Attributes:
        address: where it answers, such as `"http://127.0.0.1:8888"`.
    """

    def __init__(self, address: str):
        self.address = address

    def ask(self, path: str) -> list | dict:
        """Return what the server's interface answers, such as to `"api/sessions"`."""
        with urllib.request.urlopen(f"{self.address}/{path}?token={TOKEN}", timeout=10) as answer:
            return json.load(answer)

    def open(self, page, name: str) -> None:
        """Show a notebook, and wait until its kernel is ready: what is run before that is lost.

        Raises:
            TimeoutError: if the kernel does not start.
        """
        page.goto(f"{self.address}/lab/tree/{name}?token={TOKEN}&reset")
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=STARTING * 1000)
        for _ in range(STARTING):
            kernels = [session["kernel"] for session in self.ask("api/sessions")
                       if session["path"] == name]
            if kernels and kernels[0]["connections"] and kernels[0]["execution_state"] == "idle":
                page.wait_for_timeout(500)
                return
            time.sleep(1)
        raise TimeoutError(f"The kernel of {name} did not start.")

    def run_all(self, page, seconds: float = CELL) -> list[str]:
        """Choose "Run all cells" and wait until all have run; return what went wrong, in words."""
        page.click(".lm-MenuBar-itemLabel:text-is('Run')")
        page.click(".lm-Menu-item[data-command='runmenu:run-all']")
        page.wait_for_function(RAN, timeout=seconds * 1000)
        page.wait_for_timeout(500)
        texts = [" ".join(text.split()) for text in page.locator(TOLD).all_inner_texts()]
        return [f"error: {text[-300:]}" if TRACEBACK in text else f"warning: {text[:300]}"
                for text in texts]

    def close(self, name: str) -> None:
        """Shut a notebook's kernel down, so that its memory is free for the next."""
        for session in self.ask("api/sessions"):
            if session["path"] == name:
                request = urllib.request.Request(
                    f"{self.address}/api/sessions/{session['id']}?token={TOKEN}", method="DELETE")
                urllib.request.urlopen(request, timeout=30).close()


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Lab]:
    """Yield a JupyterLab that shows a folder, with settings of its own; it ends with the block.

    Raises:
        RuntimeError: if it does not start.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        own, address = Path(name), f"http://127.0.0.1:{servers.free_ports()}"
        (own / "overrides.json").write_text(json.dumps(SETTINGS))
        env = {name: value for name, value in os.environ.items()
               if not name.startswith(("COURSE_QUIET", "JUPYTER"))}
        env |= {f"JUPYTER_{name}_DIR": str(own / name) for name in ("CONFIG", "DATA", "RUNTIME")}
        env |= {"COURSE_PROGRESS": str(own / "progress.json"), "TF_CPP_MIN_LOG_LEVEL": "3"}
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1",
                   f"--port={address.rpartition(':')[2]}", "--ServerApp.port_retries=0",
                   "--allow-root", f"--IdentityProvider.token={TOKEN}",
                   f"--ServerApp.root_dir={folder}", f"--LabApp.app_settings_dir={own}"]
        with servers.running(command, f"{address}/api/status?token={TOKEN}", env, own):
            yield Lab(address)


@contextlib.contextmanager
def learner() -> Iterator:
    """Yield a browser's page, as tall as a learner might wish; it keeps the scripts' errors.

    Raises:
        RuntimeError: if Chromium is missing.
    """
    with chromium.opened() as browser:
        page = browser.new_page(viewport={"width": 1300, "height": 1600})
        page.errors = []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        yield page


def photograph(page, path: Path) -> None:
    """Store a picture of a whole notebook, part by part: Chromium takes what is on the screen."""
    place = page.locator(SHEET)
    height, step = place.evaluate("sheet => [sheet.scrollHeight, sheet.clientHeight]")
    whole = None
    for top in range(0, height, step):
        place.evaluate("(sheet, top) => { sheet.scrollTop = top }", top)
        page.wait_for_timeout(200)
        part = Image.open(io.BytesIO(place.screenshot())).convert("RGB")
        whole = whole or Image.new("RGB", (part.width, height))
        whole.paste(part, (0, int(place.evaluate("sheet => sheet.scrollTop"))))
    whole.save(path)


def try_out(lab: Lab, page, name: str, pictures: Path) -> list[str]:
    """Open a notebook, run all of it, take a picture; return what went wrong, in words."""
    lab.open(page, name)
    found = lab.run_all(page)
    if mute := page.evaluate(chromium.MUTE):
        found.append(f"{mute} players without sound")
    if broken := page.evaluate(BROKEN):
        found.append(f"{broken} widgets without controls")
    photograph(page, pictures / f"{Path(name).stem}.png")
    lab.close(name)
    found += [f"script: {error}" for error in page.errors]
    page.errors.clear()
    return found
