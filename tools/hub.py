"""Simulated learners for teaching/jupyterhub_config.py; `python -m tools.room --hub` lets them in.

A learner signs in as the browser does, waits for a JupyterLab server, opens a notebook, and runs
its cells one after the other through the kernel's channel. JupyterHub and its proxy do not belong
to the course's packages.
"""
import contextlib
import importlib.util
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tools import execute, notebooks

CONFIG = notebooks.ROOT / "teaching" / "jupyterhub_config.py"
PROXY = notebooks.ROOT / ".hub" / "node_modules" / ".bin" / "configurable-http-proxy"
STARTING, ANSWER, TICK = 180, 60, 1  # seconds


class Visit(NamedTuple):
    """What a visit took: seconds until the notebook was open, and then to its end; peak MB of its
    kernel, MB of the server.
    """

    waited: float
    seconds: float
    kernel: float
    server: float


def lacking() -> str:
    """Return what is missing to run the hub, and how to get it; empty if nothing is."""
    if importlib.util.find_spec("jupyterhub") is None:
        return f'no JupyterHub ({sys.executable} -m pip install "jupyterhub>=5.3,<7")'
    if not PROXY.exists() and not shutil.which(PROXY.name):
        return ("no configurable-http-proxy (npm install --prefix .hub configurable-http-proxy; it "
                "needs Node.js)")
    return ""


class Learner:
    """Somebody with a browser who knows the room's password.

    Attributes:
        name: the name to sign in with.
    """

    def __init__(self, hub: str, name: str, password: str, word: str | None = None):
        import requests

        self.name, self.home = name, f"{hub}/user/{name}"
        self._hub, self._session = hub, requests.Session()
        self._password = f"{password}:{word or secrets.token_hex(8)}"

    def _ask(self, method: str, address: str, **options):
        answer = self._session.request(method, address, timeout=ANSWER, **options)
        answer.raise_for_status()
        return answer

    def _token(self, path: str) -> str:
        """Return the token against forged requests that goes with a part of the site."""
        return next((cookie.value for cookie in self._session.cookies if cookie.name == "_xsrf"
                     and cookie.path == path), "")

    def sign_in(self) -> None:
        """Sign in, and wait until the learner's own server answers.

        Raises:
            RuntimeError: if the password is refused, or the server does not start.
        """
        self._ask("GET", f"{self._hub}/hub/login")
        fields = {"username": self.name, "password": self._password, "_xsrf": self._token("/hub/")}
        if self._session.post(f"{self._hub}/hub/login", data=fields,
                              timeout=ANSWER).status_code == 403:
            raise RuntimeError(f"The hub does not let {self.name} in.")
        end = time.monotonic() + STARTING
        while time.monotonic() < end:
            if self._session.get(f"{self.home}/lab",
                                 timeout=ANSWER).url.startswith(f"{self.home}/lab"):
                return
            time.sleep(1)
        raise RuntimeError(f"The server of {self.name} did not start in {STARTING} s.")

    def open(self, path: str):
        """Open a notebook of the learner's folder, and start its kernel; return its cells and the
        kernel's channel.
        """
        import websocket

        self._ask("GET", f"{self.home}/lab/tree/{path}")
        cells = self._ask("GET", f"{self.home}/api/contents/{path}").json()["content"]["cells"]
        asked = {"path": path, "name": path, "type": "notebook", "kernel": {"name": "python3"}}
        token = self._token(f"/user/{self.name}/")
        session = self._ask("POST", f"{self.home}/api/sessions", json=asked,
                            headers={"X-XSRFToken": token}).json()
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._session.cookies
                            if f"/user/{self.name}/".startswith(cookie.path))
        address = (
            f"{self.home}/api/kernels/{session['kernel']['id']}/channels?_xsrf={token}".replace(
            "http", "ws", 1))
        channel = websocket.create_connection(address, cookie=cookies, timeout=ANSWER)
        channel.settimeout(TICK)
        return cells, channel


def run(channel, code: str, patience: float) -> str:
    """Run a cell; return what it printed.

    Raises:
        RuntimeError: if it fails.
        TimeoutError: if it takes too long.
    """
    import websocket

    number = uuid.uuid4().hex
    header = {"msg_id": number, "session": number, "username": "", "msg_type": "execute_request",
              "version": "5.3"}
    content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False,
               "stop_on_error": True}
    channel.send(
        json.dumps({"header": header, "parent_header": {}, "metadata": {}, "content": content,
                    "channel": "shell"}))
    printed, waiting, end = "", {"reply", "idle"}, time.monotonic() + patience
    while waiting and time.monotonic() < end:
        # a long training says nothing for minutes
        with contextlib.suppress(websocket.WebSocketTimeoutException):
            message = json.loads(channel.recv())
            kind, content = message["header"]["msg_type"], message["content"]
            if message["parent_header"].get("msg_id") != number:
                continue
            if kind == "error":
                raise RuntimeError(f"{content['ename']}: {content['evalue']}")
            printed += content["text"] if kind == "stream" and content["name"] == "stdout" else ""
            waiting -= {"reply"} if kind == "execute_reply" else set()
            waiting -= {"idle"} if content.get("execution_state") == "idle" else set()
    if waiting:
        raise TimeoutError(f"A cell took more than {patience:.0f} s:\n{code}")
    return printed


def visit(learner: Learner, path: str, patience: float) -> Visit:
    """Sign in, open a notebook, run all of it.

    Raises:
        RuntimeError, OSError: if anything fails on the way.
    """
    begin = time.perf_counter()
    learner.sign_in()
    cells, channel = learner.open(path)
    opened = time.perf_counter()
    for cell in cells:
        if cell["cell_type"] == "code" and cell["source"].strip():
            run(channel, cell["source"], patience)
    done = time.perf_counter()
    server = "import os, psutil\nprint(psutil.Process(os.getppid()).memory_info().rss)"
    kernel, server = (float(run(channel, code, ANSWER)) for code in (execute.PEAK_MEMORY, server))
    channel.close()
    return Visit(opened - begin, done - opened, kernel / 1e3, server / 1e6)


def free_ports() -> int:
    """Return a port that is free, as are the next two."""
    for port in range(20000 + secrets.randbelow(10000), 60000, 3):
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            for number in range(port, port + 3):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", number))
            return port
    raise OSError("No free port was found.")


@contextlib.contextmanager
def running(learners: int) -> Iterator[tuple[str, str]]:
    """Yield the address and the password of a hub with the course's settings, whose folder is new;
    it ends with the block.

    Raises:
        RuntimeError: if something is missing, or the hub does not start.
    """
    import requests

    if missing := lacking():
        raise RuntimeError(f"The hub cannot be tried: {missing}.")
    port, password = free_ports(), secrets.token_hex(16)
    address = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        env = (os.environ | {"COURSE_HUB_PASSWORD": password, "COURSE_HUB_FOLDER": folder,
                             "COURSE_HUB_PORT": str(port), "COURSE_HUB_LEARNERS": str(learners)})
        log = Path(folder) / "log"
        with open(log, "w") as file:
            command = [sys.executable, "-m", "jupyterhub", "-f", str(CONFIG)]
            hub = subprocess.Popen(command, env=env, cwd=folder, stdout=file, stderr=file)
        try:
            for _ in range(STARTING):
                with contextlib.suppress(requests.RequestException):
                    if requests.get(f"{address}/hub/health", timeout=5).ok:
                        break
                if hub.poll() is not None:
                    raise RuntimeError(f"The hub ended:\n{log.read_text()[-2000:]}")
                time.sleep(1)
            else:
                raise RuntimeError(f"The hub did not start:\n{log.read_text()[-2000:]}")
            yield address, password
        finally:
            hub.terminate()  # it ends the learners' servers, then its proxy
            hub.wait(60)


def measure(path: Path, learners: int) -> tuple[list[Visit], float]:
    """Let learners in who run one of the course's notebooks, all at once.

    Returns:
        what each visit took, and the seconds until the last has finished.

    Raises:
        RuntimeError, OSError: if something is missing, or fails for somebody.
    """
    import websocket

    name = f"notebooks/{path.relative_to(notebooks.NOTEBOOKS)}"
    patience = execute.SECONDS_A_CELL * learners  # who shares a server waits longer
    with running(learners) as (address, password), ThreadPoolExecutor(learners) as pool:
        begin = time.perf_counter()
        guests = [Learner(address, f"learner-{number}", password)
                  for number in range(1, learners + 1)]
        try:
            visits = list(pool.map(lambda guest: visit(guest, name, patience), guests))
        except websocket.WebSocketException as error:
            raise RuntimeError(f"The kernel's channel broke: {error}") from error
        return visits, time.perf_counter() - begin
