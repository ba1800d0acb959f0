"""JupyterHub for one room: each learner gets a folder with the notebooks, on one machine that all
of them share.

Set up, in the course's folder, after `make lab` worked once:

    .venv/bin/pip install "jupyterhub>=5.3,<7"
    npm install --prefix .hub configurable-http-proxy     # needs Node.js
    COURSE_HUB_PASSWORD=four-random-words .venv/bin/jupyterhub -f teaching/jupyterhub_config.py

Learners open http://THE-SERVER:8000, and sign in with any name (letters, digits, - and _) and, as
the password, the room's password, a colon and a word of their own: four-random-words:tulip. The
word that a name signs in with first is that name's from then on; who has forgotten it asks the
teacher, who deletes hub/words/NAME. All servers run as the user who started the hub, without walls
between them, so this is for a room whose people trust each other, in a network of its own; never
for the open internet.

COURSE_HUB_FOLDER (default: hub/ below the present folder) holds the learners' work, and stays when
the hub stops. COURSE_HUB_PORT (8000), COURSE_HUB_LEARNERS (50 servers at most), COURSE_HUB_THREADS
(2 for each).
"""
import asyncio
import contextlib
import hashlib
import hmac
import os
import re
import shutil
import sys
from pathlib import Path

from jupyterhub.auth import Authenticator

COURSE = Path(__file__).resolve().parent.parent
HUB = Path(os.environ.get("COURSE_HUB_FOLDER", "hub")).resolve()
BIN = Path(sys.executable).parent
PROXY = COURSE / ".hub" / "node_modules" / ".bin" / "configurable-http-proxy"
THREADS = os.environ.get("COURSE_HUB_THREADS", "2")
PORT = int(os.environ.get("COURSE_HUB_PORT", "8000"))
LEARNERS = int(os.environ.get("COURSE_HUB_LEARNERS", "50"))
NAME = re.compile(r"^[a-z0-9][a-z0-9_-]{0,30}\Z")  # names become folders
WORDS = HUB / "words"
SHORTEST, LONGEST_WAIT = 4, 30  # letters of a word; seconds after many wrong ones
HINT = "Password: the room's password, a colon, and a word of your own (at least 4 letters)."

os.umask(0o077)  # what is written here is for the user who started the hub

if not os.environ.get("COURSE_HUB_PASSWORD"):
    sys.exit("Choose the room's password first: COURSE_HUB_PASSWORD=... jupyterhub -f "
             "teaching/jupyterhub_config.py")


def give_notebooks(spawner) -> None:
    """Copy the notebooks into a learner's folder, once; what they changed stays theirs."""
    home = HUB / "learners" / spawner.user.name
    if not (home / "notebooks").exists():
        unfinished = home / ".unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(COURSE / "notebooks", unfinished,
                        ignore=shutil.ignore_patterns("solutions", ".*"))
        unfinished.rename(home / "notebooks")


class Slowed:
    """Turns at trying a password: one at a time for each key, later the more were wrong before."""

    def __init__(self):
        self.wrong, self._turns = {}, {}

    @contextlib.asynccontextmanager
    async def turn(self, key: str):
        """Wait for the key's turn; the block says how it went with `tried`."""
        async with self._turns.setdefault(key, asyncio.Lock()):
            if wrong := self.wrong.get(key, 0):
                await asyncio.sleep(min(LONGEST_WAIT, 0.5 * 2 ** (wrong - 1)))
            yield

    def tried(self, key: str, right: bool) -> None:
        """Note whether a password was right."""
        self.wrong[key] = 0 if right else min(self.wrong.get(key, 0) + 1, 10)


def scrambled(word: str, salt: bytes) -> bytes:
    """Return what is kept of a word, from which it cannot be read."""
    return salt + hashlib.scrypt(word.encode(), salt=salt, n=2**14, r=8, p=1)


def is_theirs(name: str, word: str) -> bool:
    """Tell whether a word is that of a name; a name without one gets it."""
    place = WORDS / name
    with contextlib.suppress(FileExistsError):
        if len(word) < SHORTEST or (not place.exists()
                                    and len(list(WORDS.iterdir())) >= 3 * LEARNERS):
            return False
        with open(place, "xb") as file:
            file.write(scrambled(word, os.urandom(16)))
        return True
    kept = place.read_bytes()
    return len(kept) > 16 and hmac.compare_digest(kept, scrambled(word, kept[:16]))


class RoomAuthenticator(Authenticator):
    """Lets in who knows the room's password, each name with a word of its own."""
    slowed = Slowed()

    async def authenticate(self, handler, data):
        """Return the name, or None after a wait if something is wrong with it or the password."""
        name = self.normalize_username(data["username"])
        room, _, word = data["password"].rpartition(":")
        places = [f"address {handler.request.remote_ip}"]
        places += [f"name {name}"] if NAME.match(name) and (WORDS / name).exists() else []
        async with contextlib.AsyncExitStack() as stack:
            for place in places:
                await stack.enter_async_context(self.slowed.turn(place))
            right = bool(NAME.match(name)) and hmac.compare_digest(
                room.encode(), os.environ["COURSE_HUB_PASSWORD"].encode())
            right = right and await asyncio.to_thread(is_theirs, name, word)
            for place in places:
                self.slowed.tried(place, right)
        return name if right else None


for folder in (HUB, HUB / "learners", HUB / "cache", WORDS):
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)

c = get_config()  # noqa: F821  (JupyterHub defines it)
c.JupyterHub.bind_url = f"http://0.0.0.0:{PORT}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{PORT + 1}"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{PORT + 2}"
c.ConfigurableHTTPProxy.command = [str(PROXY) if PROXY.exists() else "configurable-http-proxy"]
c.ConfigurableHTTPProxy.pid_file = str(HUB / "proxy.pid")
c.JupyterHub.cookie_secret_file = str(HUB / "cookie_secret")
c.JupyterHub.db_url = f"sqlite:///{HUB / 'hub.sqlite'}"
c.JupyterHub.active_server_limit = LEARNERS
c.JupyterHub.allow_named_servers = False  # one each
c.JupyterHub.concurrent_spawn_limit = 10
c.JupyterHub.template_vars = {"announcement_login": HINT}
c.JupyterHub.cleanup_servers = True

c.JupyterHub.authenticator_class = RoomAuthenticator
c.Authenticator.allow_all = True
c.Authenticator.username_pattern = NAME.pattern

c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = str(HUB / "learners" / "{username}")
c.Spawner.cmd = [str(BIN / "jupyterhub-singleuser")]
c.Spawner.args = ["--allow-root"] if os.geteuid() == 0 else []  # as in a container
c.Spawner.default_url = "/lab/tree/notebooks/00_welcome.ipynb"
c.Spawner.notebook_dir = str(HUB / "learners" / "{username}")
c.Spawner.pre_spawn_hook = give_notebooks
c.Spawner.environment = {
    "COURSE_CACHE": str(HUB / "cache"), "TF_CPP_MIN_LOG_LEVEL": "3",
    # As many threads as the machine has cores, for each of fifty learners, would only get in each
    # other's way.
    "OMP_NUM_THREADS": THREADS, "TF_NUM_INTRAOP_THREADS": THREADS, "TF_NUM_INTEROP_THREADS": "1",
}
c.Spawner.http_timeout = c.Spawner.start_timeout = 120
