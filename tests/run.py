"""`make test`: the suite with coverage, then the login on the other user models.

A script, because the second part is a process for each model: Django settles on one
when it starts.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
USER_MODELS = ("users.EmailUser", "users.NoEmailUser", "users.UuidUser")
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
    for model in USER_MODELS:
        print(f"--- the login with {model} as AUTH_USER_MODEL", flush=True)
        tests = ["-m", "pytest", "-q", "-m", "user_models", "tests"]
        if status := run(tests, OAUTH_LOGIN_TEST_USER_MODEL=model):
            return status
    run(["-m", "coverage", "erase"])
    status = run(["-m", "coverage", "run", "-m", "pytest", "-q", *arguments, "tests"])
    if status or arguments:
        return status
    run(["-m", "coverage", "combine", "-q"])
    return run(["-m", "coverage", "report", f"--include={COVERED}", "--fail-under=100"])


def run(command: list[str], **variables: str) -> int:
    """One of Python's modules, with warnings as errors."""
    return subprocess.run(  # noqa: S603 - our own commands
        [sys.executable, *command], cwd=ROOT, env={**os.environ, **variables}
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
