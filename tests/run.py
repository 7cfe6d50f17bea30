"""`make test`: the suite with coverage, then the login on the other user models.

A script, because the second part is a process for each model: Django settles on one
when it starts.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parent.parent
TESTS = ROOT / "tests"
USER_MODELS = ("users.EmailUser", "users.NoEmailUser", "users.UuidUser")
# Seconds of one core for everything, on a machine of 2026.
CPU_SECONDS = 720
# Where every branch must have been taken.
COVERED = ",".join(
    f"oauth_login/{room}"
    for room in (
        "protocol/*",
        "flow.py",
        "provider/provider.py",
        "policy/rules.py",
        "policy/claim_paths.py",
        "policy/email_address.py",
        "conf/rules.py",
    )
)


def main(arguments: list[str]) -> int:
    """The exit status: of the first part that fails, or 0."""
    cores = _cores()
    minutes = max(1, round(CPU_SECONDS / cores / 60))
    print(
        f"--- this takes about {minutes} minute{'s' * (minutes > 1)} "
        f"on {cores} core{'s' * (cores > 1)}",
        flush=True,
    )
    started = time.monotonic()
    for model in USER_MODELS:
        print(f"--- the login with {model} as AUTH_USER_MODEL", flush=True)
        tests = ["-m", "pytest", "-q", "-m", "user_models", *_tests_of_user_models()]
        if status := run(tests, OAUTH_LOGIN_TEST_USER_MODEL=model):
            return status
    print("--- the suite", flush=True)
    run(["-m", "coverage", "erase"])
    pytest = ["-m", "pytest", "-q", *_workers(cores), *(arguments or ["tests"])]
    status = run(["-m", "coverage", "run", *pytest])
    if status or arguments:
        return status
    run(["-m", "coverage", "combine", "-q"])
    status = run(
        ["-m", "coverage", "report", f"--include={COVERED}", "--fail-under=100"]
    )
    print(f"--- {time.monotonic() - started:.0f} seconds")
    return status


def run(command: list[str], **variables: str) -> int:
    """One of Python's modules, with warnings as errors."""
    return subprocess.run(  # noqa: S603 - our own commands
        [sys.executable, *command], cwd=ROOT, env={**os.environ, **variables}
    ).returncode


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _workers(cores: int) -> list[str]:
    """pytest-xdist's options, where it is installed and has something to do."""
    if cores == 1 or find_spec("xdist") is None:
        return []
    return ["-n", str(cores)]


def _tests_of_user_models() -> list[str]:
    """The files that use the marker: the others need not be imported for each model."""
    return [
        str(path.relative_to(ROOT))
        for path in sorted(TESTS.rglob("test_*.py"))
        if "user_models" in path.read_text()
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
