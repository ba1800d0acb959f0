"""Continuous integration runs make targets and nothing else; its actions are pinned."""
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
PINNED = re.compile(r"uses: actions/[a-z-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+$")


def steps(path: Path) -> list[dict]:
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values()
    return [step for job in jobs for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_each_step_is_a_make_target_or_a_pinned_action(path):
    for step in steps(path):
        assert "uses" in step or re.fullmatch(r"make ([a-z-]+)", step["run"])[1] in TARGETS
    used = [line for line in path.read_text("utf-8").splitlines() if "uses:" in line]
    assert used and all(PINNED.search(line) for line in used)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_may_read_only_and_end_by_themselves(path):
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    for name, job in workflow["jobs"].items():
        assert "timeout-minutes" in job or name == "publish"


def test_every_python_and_system_that_is_promised_is_tested():
    jobs = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text("utf-8"))["jobs"]
    rows = {(row["os"].partition("-")[0], row["python"])
            for row in jobs["test"]["strategy"]["matrix"]["include"]}
    assert {("ubuntu", f"3.{minor}") for minor in (11, 12, 13)} <= rows
    assert {system for system, _ in rows} == {"ubuntu", "macos", "windows"}
    assert jobs["test"]["needs"] == "check"
