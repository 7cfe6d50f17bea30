"""A neighbour's site, served for real, and the visits of all people to it."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import requests

from oauth_login.testing import FakeProvider
from tests.neighbours.browser import Browser
from tests.neighbours.environments import ROOT, environment
from tests.neighbours.table import PEOPLE, Neighbour

DATABASE_URL = "OAUTH_LOGIN_TEST_DATABASE_URL"
COMMAND_TIMEOUT = 240
START_TIMEOUT = 60

Seen = Mapping[tuple[str, str], str]


def walk(neighbour: Neighbour, provider: FakeProvider) -> Seen:
    """What came of every visit, by visit and person."""
    python = environment(
        neighbour.name,
        neighbour.requires,
        version=neighbour.python,
        pinned=neighbour.pinned,
    )
    with tempfile.TemporaryDirectory(prefix=f"{neighbour.name}-") as state:
        port = _free_port()
        variables = _variables(neighbour, provider, Path(state), port)
        seen = {("check", "nobody"): _checked(python, variables)}
        _run(python, variables, "-m", "tests.neighbours.sites.prepare")
        with _served(python, variables, Path(state), port):
            for person in PEOPLE:
                seen |= _visits(neighbour, provider, person, port)
        return seen


def _visits(
    neighbour: Neighbour, provider: FakeProvider, person: str, port: int
) -> dict[tuple[str, str], str]:
    seen = {}
    browser = Browser(
        f"http://{neighbour.hosts[0]}:{port}",
        end_session=provider.endpoints["end_session_endpoint"],
    )
    for visit in neighbour.visits:
        if person in visit.expected and visit.action != "CHECK":
            seen[visit.name, person] = browser.do(
                visit.action, person, header=visit.header
            )
    return seen


def _variables(
    neighbour: Neighbour, provider: FakeProvider, state: Path, port: int
) -> dict[str, str]:
    inherited = ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", DATABASE_URL)
    return {
        **{name: os.environ[name] for name in inherited if name in os.environ},
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "DJANGO_SETTINGS_MODULE": f"tests.neighbours.sites.{neighbour.name}.settings",
        "NEIGHBOUR": neighbour.name,
        "NEIGHBOURS_STATE": str(state),
        "NEIGHBOURS_PORT": str(port),
        "NEIGHBOURS_HOSTS": " ".join(neighbour.hosts),
        "NEIGHBOURS_ISSUER": provider.issuer,
        "NEIGHBOURS_CLIENT_ID": provider.client_id,
        "NEIGHBOURS_CLIENT_SECRET": provider.client_secret or "",
    }


def _checked(python: Path, variables: dict[str, str]) -> str:
    """`ok`, or the ids of our own checks that have something to say."""
    done = _command(python, variables, "-m", "django", "check")
    ids = sorted(set(re.findall(r"oauth_login\.[EW]\d+", done.stdout + done.stderr)))
    if done.returncode and not ids:
        raise RuntimeError(done.stdout + done.stderr)
    return " ".join(["stops" if done.returncode else "ok", *ids])


@contextmanager
def _served(
    python: Path, variables: dict[str, str], state: Path, port: int
) -> Iterator[None]:
    log = state / "server.log"
    command = [
        *(str(python), "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"),
        *("--workers", "1", "--threads", "4", "--timeout", "60"),
        "tests.neighbours.sites.wsgi:application",
    ]
    with (
        log.open("w") as output,
        subprocess.Popen(  # noqa: S603 - our own command
            command,
            cwd=ROOT,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as server,
    ):
        try:
            _wait_for(f"http://127.0.0.1:{port}/", server, log)
            yield
        finally:
            server.terminate()
            _keep(log, variables["NEIGHBOUR"])


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline and server.poll() is None:
        try:
            requests.get(url, timeout=20)
        except requests.ConnectionError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"the site does not answer\n{log.read_text()[-4000:]}")


def _keep(log: Path, name: str) -> None:
    """The server's log outlives its directory: it says why a visit went wrong."""
    kept = ROOT / ".venvs" / "neighbours" / f"{name}.log"
    kept.write_text(log.read_text())


def _run(python: Path, variables: dict[str, str], *arguments: str) -> None:
    done = _command(python, variables, *arguments)
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)}\n{done.stdout}{done.stderr}")


def _command(
    python: Path, variables: dict[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own commands
        [str(python), *arguments],
        cwd=ROOT,
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=COMMAND_TIMEOUT,
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
