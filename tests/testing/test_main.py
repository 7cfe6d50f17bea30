"""`python -m oauth_login.testing`, from its first line to Ctrl-C."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
import requests

from oauth_login.testing.__main__ import main

REQUEST = {
    "response_type": "code",
    "client_id": "site",
    "redirect_uri": "https://app.example.com/cb",
    "scope": "openid",
    "state": "the-state",
    "nonce": "the-nonce",
    "code_challenge": "A" * 43,
    "code_challenge_method": "S256",
}


def heed_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def running(*arguments: str) -> Iterator[str]:
    """The provider's address; at the end, Ctrl-C must be enough."""
    with subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "oauth_login.testing", "--port", "0", *arguments],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell lets what it runs in the background ignore Ctrl-C, and that is
        # inherited; and a process that waits for it waits for ever.
        preexec_fn=heed_ctrl_c,
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[1]
        finally:
            process.send_signal(signal.SIGINT)
            try:
                _, errors = process.communicate(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
    assert (process.returncode, errors) == (0, "")


def test_somebody_picks_a_person_on_a_page() -> None:
    with running() as issuer:
        url = f"{issuer}/authorize?{urlencode(REQUEST)}"
        page = requests.get(url, timeout=5)
        people = re.findall(r'name="person" value="(\w+)"', page.text)
        kept = re.findall(r'type="hidden" name="(\w+)" value="(.*?)"', page.text)
        query = {**dict(kept), "person": "bob"}
        picked = requests.get(
            f"{issuer}/authorize", params=query, allow_redirects=False, timeout=5
        )

    assert people == ["alice", "bob", "carol", "dave"]
    assert dict(kept) == REQUEST
    assert picked.headers["Location"].startswith("https://app.example.com/cb?code=")


def test_a_person_can_be_chosen_beforehand() -> None:
    with running("--person", "bob") as issuer:
        url = f"{issuer}/authorize?{urlencode(REQUEST)}"
        answer = requests.get(url, allow_redirects=False, timeout=5)

    assert answer.status_code == 302


def test_it_can_misbehave_from_the_start() -> None:
    with running("--fault", "jwks_500", "--fault", "denied") as issuer:
        assert requests.get(f"{issuer}/jwks", timeout=5).status_code == 503


def test_a_busy_port_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]

        assert main(["--port", str(port)]) == 1

    assert capsys.readouterr().err.startswith(f"port {port}: ")


@pytest.mark.parametrize(
    "arguments",
    [["--host", "0.0.0.0"], ["--fault", "expird"], ["--person", "eve"]],  # noqa: S104 - refused
)
def test_what_it_cannot_do_is_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)

    assert caught.value.code == 2
    assert arguments[1] in capsys.readouterr().err
