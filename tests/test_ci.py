"""The continuous integration: one script is the truth, and what runs it agrees."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
SCRIPT = (ROOT / ".ci/run").read_text()
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def steps() -> list[str]:
    """The steps of `.ci/run`, in the order in which it runs them."""
    (names,) = re.findall(r"^STEPS='(.+)'$", SCRIPT, re.M)
    return str(names).split()


def steps_on_request() -> list[str]:
    """Those that it runs only if they are named: they take long."""
    (names,) = re.findall(r"^ON_REQUEST='(.+)'$", SCRIPT, re.M)
    return str(names).split()


def workflow(name: str) -> dict[Any, Any]:
    text = (ROOT / ".github/workflows" / name).read_text()
    loaded: dict[Any, Any] = yaml.safe_load(text)
    return loaded


def test_the_jobs_of_the_workflow_are_the_steps_of_the_script() -> None:
    job = workflow("ci.yml")["jobs"]["step"]

    assert set(job["strategy"]["matrix"]) == {"step"}
    named = job["strategy"]["matrix"]["step"]
    assert sorted(named) == sorted([*steps(), *steps_on_request()])
    assert job["name"] == "${{ matrix.step }}"
    assert job["steps"][-1] == {
        "run": 'bash .ci/run "$STEP"',
        "env": {"STEP": "${{ matrix.step }}"},
    }


def test_every_step_is_a_function_of_the_script() -> None:
    functions = re.findall(r"^(\w+)\(\) \{ #", SCRIPT, re.M)

    assert [name for name in functions if name in steps()] == steps()


def test_the_suite_is_the_last_step() -> None:
    assert steps()[-1] == "suite"


def test_a_step_that_does_not_exist_is_named_and_nothing_runs() -> None:
    run = subprocess.run(
        ["bash", ".ci/run", "suit"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith(
        '.ci/run: there is no step "suit". The steps are: lint'
    )


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_to_commits(path: Path) -> None:
    used = re.findall(r"^ +(?:- )?uses: (\S+)(.*)$", path.read_text(), re.M)

    assert used
    for action, comment in used:
        if not action.startswith("./"):
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action), action
            assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), action


def test_only_a_release_may_do_more_than_read() -> None:
    assert workflow("ci.yml")["permissions"] == {"contents": "read"}
    release = workflow("release.yml")
    assert release["permissions"] == {}
    assert {name: job["permissions"] for name, job in release["jobs"].items()} == {
        "ci": {"contents": "read"},
        "build": {
            "contents": "read",
            "id-token": "write",
            "attestations": "write",
        },
        "publish": {"id-token": "write"},
    }


def test_no_workflow_puts_what_others_wrote_into_a_script() -> None:
    # An expression inside `run` is pasted into the shell before the shell quotes it.
    for path in WORKFLOWS:
        for job in workflow(path.name)["jobs"].values():
            for step in job.get("steps", []):
                assert "${{" not in step.get("run", ""), path.name


def test_the_hooks_before_a_commit_use_the_same_ruff_as_make_lint() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    (rev,) = [repo["rev"] for repo in hooks if "ruff" in repo["repo"]]
    pinned = re.search(r"^ruff==(.+)$", (ROOT / "constraints.txt").read_text(), re.M)

    assert pinned
    assert rev == f"v{pinned[1]}"


def test_the_tests_that_run_on_other_databases_exist() -> None:
    named = re.findall(r"tests/[\w/]+\.py", (ROOT / ".ci/databases").read_text())

    assert len(named) > 5
    assert [path for path in named if not (ROOT / path).is_file()] == []
