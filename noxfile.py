"""The suite with each Python and Django that the package supports: `nox`.

`nox -s "tests(python='3.12', django='6.0')"` runs one of them. nox skips a Python that
this machine does not have. Neither `make test` nor `.ci/run` needs nox.
"""

from __future__ import annotations

import nox

nox.options.sessions = ["tests"]
nox.options.error_on_missing_interpreters = False
nox.options.reuse_existing_virtualenvs = True

# Django 6 needs Python 3.12. (Python, Django)
VERSIONS = [
    ("3.11", "5.2"),
    ("3.12", "5.2"),
    ("3.12", "6.0"),
    ("3.12", "6.1"),
    ("3.13", "5.2"),
    ("3.13", "6.0"),
    ("3.13", "6.1"),
    ("3.14", "5.2"),
    ("3.14", "6.0"),
    ("3.14", "6.1"),
]


@nox.session
@nox.parametrize(["python", "django"], VERSIONS)
def tests(session: nox.Session, django: str) -> None:
    """Run the suite, or the tests that are named after `--`."""
    session.install(
        "-r",
        "requirements.txt",
        "time-machine",
        "hypothesis",
        "joserfc",
        "pyyaml",
        "pytest-xdist",
        f"django~={django}.0",
    )
    session.run(
        "python", "-m", "pytest", "-q", *(session.posargs or ["-n", "auto", "tests"])
    )


@nox.session(python=False)
def neighbours(session: nox.Session) -> None:
    """Log in beside other people's packages, on the newest Python of this machine."""
    session.run(
        "make", "neighbours", f"ARGS={' '.join(session.posargs)}", external=True
    )
