"""JupyterHub for one room: each learner gets a folder with the notebooks, on one machine that all
of them share.

Set up, in the course's folder, after `make lab` worked once:

    .venv/bin/pip install "jupyterhub>=5.3,<7"
    npm install --prefix .hub configurable-http-proxy     # needs Node.js
    COURSE_HUB_PASSWORD=four-random-words .venv/bin/jupyterhub -f teaching/jupyterhub_config.py

Learners open http://THE-SERVER:8000, and sign in with any name (letters, digits, - and _) and the
room's password. All servers run as the user who started the hub, so this is for a room whose people
trust each other, in a network of its own; never for the open internet.

COURSE_HUB_FOLDER (default: hub/ below the present folder) holds the learners' work, and stays when
the hub stops. COURSE_HUB_PORT (8000), COURSE_HUB_LEARNERS (50 servers at most), COURSE_HUB_THREADS
(2 for each).
"""
import os
import shutil
import sys
from pathlib import Path

COURSE = Path(__file__).resolve().parent.parent
HUB = Path(os.environ.get("COURSE_HUB_FOLDER", "hub")).resolve()
BIN = Path(sys.executable).parent
PROXY = COURSE / ".hub" / "node_modules" / ".bin" / "configurable-http-proxy"
THREADS = os.environ.get("COURSE_HUB_THREADS", "2")
PORT = int(os.environ.get("COURSE_HUB_PORT", "8000"))

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


for folder in (HUB, HUB / "learners", HUB / "cache"):
    folder.mkdir(parents=True, exist_ok=True)

c = get_config()  # noqa: F821  (JupyterHub defines it)
c.JupyterHub.bind_url = f"http://0.0.0.0:{PORT}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{PORT + 1}"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{PORT + 2}"
c.ConfigurableHTTPProxy.command = [str(PROXY) if PROXY.exists() else "configurable-http-proxy"]
c.ConfigurableHTTPProxy.pid_file = str(HUB / "proxy.pid")
c.JupyterHub.cookie_secret_file = str(HUB / "cookie_secret")
c.JupyterHub.db_url = f"sqlite:///{HUB / 'hub.sqlite'}"
c.JupyterHub.active_server_limit = int(os.environ.get("COURSE_HUB_LEARNERS", "50"))
c.JupyterHub.concurrent_spawn_limit = 10
c.JupyterHub.cleanup_servers = True

c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = os.environ["COURSE_HUB_PASSWORD"]
c.Authenticator.allow_all = True
c.Authenticator.username_pattern = r"[a-z0-9][a-z0-9_-]{0,30}"  # names become folders

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
