"""Servers that run as long as a block: JupyterLab for a browser, JupyterHub for a room."""
import contextlib
import secrets
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

STARTING = 180  # seconds


def free_ports() -> int:
    """Return a port that is free, as are the next two."""
    for port in range(20000 + secrets.randbelow(10000), 60000, 3):
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            for number in range(port, port + 3):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", number))
            return port
    raise OSError("No free port was found.")


def answers(address: str) -> bool:
    """Tell whether a server answers at an address."""
    with contextlib.suppress(OSError):
        urllib.request.urlopen(address, timeout=10).close()
        return True
    return False


@contextlib.contextmanager
def running(command: list[str], address: str, env: dict[str, str], folder: Path) -> Iterator[None]:
    """Run a server with some environment variables, in a folder, where it leaves a log.

    Raises:
        RuntimeError: if it ends at once, or does not answer at the address.
    """
    log, end = folder / "log", time.monotonic() + STARTING
    with open(log, "w") as file:
        server = subprocess.Popen(command, env=env, cwd=folder, stdout=file, stderr=file)
    try:
        while not answers(address):
            if server.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{command[2]} did not start:\n{log.read_text()[-2000:]}")
            time.sleep(1)
        yield
    finally:
        server.terminate()  # JupyterHub ends the learners' servers, then its proxy
        server.wait(60)
