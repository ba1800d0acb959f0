"""Drive JupyterLab in Chromium as a learner would: `python -m tools.lab [NOTEBOOK ...]` opens each
notebook and runs all of it.

It complains of errors, warnings, players without sound, widgets without controls and errors in the
browser's console, and leaves a picture of each whole notebook in build/lab. The notebooks are
copied first, so nothing in the working tree changes.
"""
import argparse
import contextlib
import io
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from playwright.sync_api import Error

from tools import chromium, notebooks

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
MUTE = """async () => {
  const players = [...document.querySelectorAll('audio')];
  const rest = () => new Promise(done => setTimeout(done, 100));
  for (const a of players)
    for (let i = 0; i < 50 && !(a.duration > 0) && !a.error; i++) await rest();
  return players.filter(a => !(a.duration > 0)).length;
}"""


class Lab:
    """A running JupyterLab.

    Attributes:
        address: where it answers, such as `"http://127.0.0.1:8888"`.
        folder: the folder it shows.
    """

    def __init__(self, address: str, folder: Path):
        self.address, self.folder = address, folder

    def ask(self, path: str):
        """Return what the server's interface answers, such as the list of its sessions for
        `"api/sessions"`.
        """
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
        TimeoutError: if it does not start.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as own, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        settings = Path(own) / "settings" / "@jupyterlab" / "notebook-extension"
        settings.mkdir(parents=True)
        # Cells out of sight would have no place in the page.
        (settings / "tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}')
        news = Path(own) / "settings" / "@jupyterlab" / "apputils-extension"
        news.mkdir()
        (news / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", '
                                                               '"checkForUpdates": false}')
        places = {f"JUPYTER_{name}_DIR": str(Path(own) / name.lower())
                  for name in ("CONFIG", "DATA", "RUNTIME")}
        places |= {f"JUPYTERLAB_{name}_DIR": str(Path(own) / name.lower())
                   for name in ("SETTINGS", "WORKSPACES")}
        quiet = {"COURSE_PROGRESS": str(Path(own) / "progress.json"), "TF_CPP_MIN_LOG_LEVEL": "3"}
        env = ({name: value for name, value in os.environ.items() if name != "COURSE_QUIET"}
               | places | quiet)
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1",
                   f"--port={port}", "--allow-root", f"--IdentityProvider.token={TOKEN}",
                   f"--ServerApp.root_dir={folder}", "--ServerApp.port_retries=0"]
        with open(Path(own) / "log", "w") as log:
            server = subprocess.Popen(command, env=env, stdout=log, stderr=log, cwd=own)
        try:
            lab = Lab(f"http://127.0.0.1:{port}", folder)
            for _ in range(STARTING):
                with contextlib.suppress(OSError):
                    lab.ask("api/status")
                    break
                time.sleep(1)
            else:
                raise TimeoutError("JupyterLab did not "
                                   f"start:\n{(Path(own) / 'log').read_text()[-2000:]}")
            yield lab
        finally:
            server.terminate()
            server.wait(30)


@contextlib.contextmanager
def learner() -> Iterator:
    """Yield a browser's page in a window as tall as a learner's screen would like to be; it keeps
    the console's errors.

    Raises:
        RuntimeError: if Chromium is missing.
    """
    with chromium.opened() as browser:
        page = browser.new_page(viewport={"width": 1300, "height": 1600})
        page.errors = []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        yield page


def photograph(page, path: Path) -> None:
    """Store a picture of the whole notebook, as tall as it is: Chromium alone takes what is on the
    screen.
    """
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
    found = lab.run_all(page, seconds=CELL)
    if mute := page.evaluate(MUTE):
        found.append(f"{mute} players without sound")
    if broken := page.evaluate(BROKEN):
        found.append(f"{broken} widgets without controls")
    photograph(page, pictures / f"{Path(name).stem}.png")
    lab.close(name)
    found += [f"script: {error}" for error in page.errors]
    page.errors.clear()
    return found


def main(arguments: list[str] | None = None) -> int:
    """Try the notebooks out; return the number that have something wrong."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="*", type=Path, metavar="NOTEBOOK",
                        help="all chapters, if none is named")
    chosen = parser.parse_args(arguments).notebooks
    chosen = chosen or notebooks.chapters()
    if missing := chromium.lacking():
        print(f"This needs a browser: {missing}.", file=sys.stderr)
        return 1
    pictures, wrong = notebooks.ROOT / "build" / "lab", 0
    pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for path in chosen:
            shutil.copy(path, folder)
        with running(Path(folder)) as lab, learner() as page:
            for path in chosen:
                begin = time.perf_counter()
                try:
                    found = try_out(lab, page, path.name, pictures)
                except (Error, OSError) as error:
                    found = [f"{type(error).__name__}: {str(error)[:300]}"]
                wrong += bool(found)
                print(f"{path.name}: {'; '.join(found) or 'all well'} "
                      f"({time.perf_counter() - begin:.0f} s)", flush=True)
    return wrong


if __name__ == "__main__":
    sys.exit(main())
