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
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import requests
import websocket

from tools import execute, notebooks, servers

CONFIG = notebooks.ROOT / "teaching" / "jupyterhub_config.py"
PROXY = notebooks.ROOT / ".hub" / "node_modules" / ".bin" / "configurable-http-proxy"
ANSWER = 60  # seconds
SERVER_MEMORY = "import os, psutil\nprint(psutil.Process(os.getppid()).memory_info().rss)"


class Visit(NamedTuple):
    """What a visit took: seconds until the notebook was open, then to its end, and memory in MB."""

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
        self.name, self.home = name, f"{hub}/user/{name}"
        self._hub, self._session = hub, requests.Session()
        self._password = f"{password}:{word or secrets.token_hex(8)}"

    def _ask(self, method: str, address: str, **options) -> requests.Response:
        answer = self._session.request(method, address, timeout=ANSWER, **options)
        answer.raise_for_status()
        return answer

    def _token(self, path: str) -> str:
        """Return the token against forged requests that goes with a part of the site."""
        return self._session.cookies.get("_xsrf", "", path=path)

    def sign_in(self) -> None:
        """Sign in, and wait until the learner's own server answers.

        Raises:
            RuntimeError: if the password is refused, or the server does not start.
        """
        self._ask("GET", f"{self._hub}/hub/login")
        fields = {"username": self.name, "password": self._password, "_xsrf": self._token("/hub/")}
        answer = self._session.post(f"{self._hub}/hub/login", data=fields, timeout=ANSWER)
        if answer.status_code == 403:
            raise RuntimeError(f"The hub does not let {self.name} in.")
        for _ in range(servers.STARTING):
            answer = self._session.get(f"{self.home}/lab", timeout=ANSWER)
            if answer.url.startswith(f"{self.home}/lab"):
                return
            time.sleep(1)
        raise RuntimeError(f"The server of {self.name} did not start.")

    def open(self, path: str) -> tuple[list[dict], websocket.WebSocket]:
        """Open a notebook of the learner's folder, start its kernel; return cells and channel."""
        self._ask("GET", f"{self.home}/lab/tree/{path}")
        cells = self._ask("GET", f"{self.home}/api/contents/{path}").json()["content"]["cells"]
        asked = {"path": path, "name": path, "type": "notebook", "kernel": {"name": "python3"}}
        token = self._token(f"/user/{self.name}/")
        session = self._ask("POST", f"{self.home}/api/sessions", json=asked,
                            headers={"X-XSRFToken": token}).json()
        address = f"{self.home}/api/kernels/{session['kernel']['id']}/channels?_xsrf={token}"
        cookies = requests.cookies.get_cookie_header(self._session.cookies,
                                                     requests.Request("GET", address))
        return (cells, websocket.create_connection(address.replace("http", "ws", 1), cookie=cookies,
                                                   timeout=ANSWER))


def run(channel: websocket.WebSocket, code: str, patience: float) -> str:
    """Run a cell; return what it printed.

    Raises:
        RuntimeError: if it fails.
        TimeoutError: if it takes too long.
    """
    number, end = uuid.uuid4().hex, time.monotonic() + patience
    header = {"msg_id": number, "session": number, "username": "", "msg_type": "execute_request",
              "version": "5.3"}
    content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False,
               "stop_on_error": True}
    channel.send(json.dumps({"header": header, "parent_header": {}, "metadata": {},
                             "content": content, "channel": "shell"}))
    printed, error, waiting = "", "", {"execute_reply", "idle"}
    while waiting:
        if (left := end - time.monotonic()) <= 0:
            raise TimeoutError(f"A cell took more than {patience:.0f} s:\n{code}")
        channel.settimeout(left)
        with contextlib.suppress(websocket.WebSocketTimeoutException):
            message = json.loads(channel.recv())
            kind, content = message["header"]["msg_type"], message["content"]
            if message["parent_header"].get("msg_id") != number:
                continue
            if kind == "error":
                error = f"{content['ename']}: {content['evalue']}"
            printed += content["text"] if kind == "stream" and content["name"] == "stdout" else ""
            waiting -= {kind, content.get("execution_state")}
    if error:  # only now: what is sent before the kernel has done with it would be dropped
        raise RuntimeError(error)
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
    kernel, server = (float(run(channel, code, ANSWER))
                      for code in (execute.PEAK_MEMORY, SERVER_MEMORY))
    channel.close()
    return Visit(opened - begin, done - opened, kernel / 1e3, server / 1e6)


@contextlib.contextmanager
def running(learners: int) -> Iterator[tuple[str, str]]:
    """Yield address and password of a hub with the course's settings, in a new folder.

    Raises:
        RuntimeError: if something is missing, or the hub does not start.
    """
    if missing := lacking():
        raise RuntimeError(f"The hub cannot be tried: {missing}.")
    port, password = servers.free_ports(), secrets.token_hex(16)
    address = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        env = os.environ | {"COURSE_HUB_PASSWORD": password, "COURSE_HUB_FOLDER": folder,
                            "COURSE_HUB_PORT": str(port), "COURSE_HUB_LEARNERS": str(learners)}
        command = [sys.executable, "-m", "jupyterhub", "-f", str(CONFIG)]
        with servers.running(command, f"{address}/hub/health", env, Path(folder)):
            yield address, password


def measure(path: Path, learners: int) -> tuple[list[Visit], float]:
    """Let learners in who run one of the course's notebooks, all at once.

    Returns:
        what each visit took, and the seconds until the last has finished.

    Raises:
        RuntimeError, OSError: if something is missing, or fails for somebody.
    """
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
