"""`make demo`: a real provider, a site, and one login between them.

Starts both as processes of their own, logs alice in over sockets and prints every hop
with what was checked, then serves until Ctrl-C. With --once it ends after the login,
with status 0 if all went well.
"""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

import environ
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from pkce_project.scripted_login import LoginFailed, scripted_login

BASE_DIR = Path(__file__).resolve().parent.parent
STATE_DIR = Path(os.environ.get("DEMO_STATE_DIR", BASE_DIR / ".demo"))
START_TIMEOUT = 60.0
TRY_IT = """
Now try it yourself: open {site}/

  alice  a superuser, by her group "admins"
  bob    staff, and in the group Editors: he can look at users and sign-in events
  carol  signed in, but not let into the admin
  dave   as carol; the provider has not verified his address

The password of all four is {password}

  {site}/admin/         the admin, for staff
  {site}/reports/       a page for users who are signed in
  {site}/auth/account/  where a user is signed in, and through what

Ctrl-C ends the demo."""


def main() -> int:
    """Run the demo; the process's exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--once", action="store_true", help="one login, then end")
    options = parser.parse_args()
    # SIGTERM ends the two servers as well, as Ctrl-C does.
    signal.signal(signal.SIGTERM, _interrupt)
    variables = prepare()
    with ExitStack() as running:
        running.enter_context(process("pkce_project.provider.settings", variables))
        running.enter_context(process("pkce_project.settings", variables))
        site, password = variables["SITE_URL"], variables["DEMO_PASSWORD"]
        try:
            wait_for(f"{variables['PROVIDER_ISSUER']}/.well-known/openid-configuration")
            wait_for(f"{site}/")
            scripted_login(site, person="alice", password=password)
        except LoginFailed as failure:
            print(f"\nFAILED  {failure}")
            return 1
        print("\nOK  alice came through the provider into the admin as a superuser.")
        if options.once:
            return 0
        print(TRY_IT.format(site=site, password=password), flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print()
    return 0


def prepare() -> dict[str, str]:
    """Secrets, databases and free ports; the environment for both processes."""
    STATE_DIR.mkdir(mode=0o700, exist_ok=True)
    kept = STATE_DIR / "secrets.env"
    if not kept.exists():
        names = ("SECRET_KEY", "PROVIDER_SECRET_KEY", "OAUTH_LOGIN_DEMO_CLIENT_SECRET")
        lines = [f"{name}={secrets.token_urlsafe(48)}" for name in names]
        lines.append(f"DEMO_PASSWORD={secrets.token_urlsafe(9)}")
        _write_secret(kept, "\n".join(lines) + "\n")
    key = STATE_DIR / "provider.pem"
    if not key.exists():
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        _write_secret(key, pem.decode())
    variables = dict(os.environ)
    environ.Env.read_env(kept, overwrite=True)
    variables |= {name: os.environ[name] for name in _names(kept)}
    variables |= {
        "DEBUG": "True",
        "SITE_URL": f"http://localhost:{free_port(8000)}",
        "PROVIDER_ISSUER": f"http://127.0.0.1:{free_port(9000)}",
        "OAUTH_LOGIN_PROVIDERS": "demo",
        "OAUTH_LOGIN_DEMO_LABEL": "Demo SSO",
        "OAUTH_LOGIN_DEMO_CLIENT_ID": "demo-site",
    }
    variables["OAUTH_LOGIN_DEMO_ISSUER"] = variables["PROVIDER_ISSUER"]
    public = [n for n in variables if n.startswith(("OAUTH_LOGIN_", "DEBUG"))]
    site_env = "".join(f"{n}={variables[n]}\n" for n in ("SECRET_KEY", *public))
    _write_secret(STATE_DIR / "site.env", site_env)  # so that manage.py works, too
    for settings in ("pkce_project.provider.settings", "pkce_project.settings"):
        run(["-m", "django", "migrate", "--verbosity=0"], settings, variables)
    run(
        ["-m", "pkce_project.provider.seed"],
        "pkce_project.provider.settings",
        variables,
    )
    run(["-m", "pkce_project.seed"], "pkce_project.settings", variables)
    return variables


def run(arguments: list[str], settings: str, variables: dict[str, str]) -> None:
    """One command in one of the two settings."""
    subprocess.run(  # noqa: S603 - our own commands
        [sys.executable, *arguments],
        cwd=BASE_DIR,
        env={**variables, "DJANGO_SETTINGS_MODULE": settings},
        check=True,
    )


@contextmanager
def process(settings: str, variables: dict[str, str]) -> Iterator[None]:
    """Serve one of the two for as long as this lasts."""
    is_site = settings == "pkce_project.settings"
    url = variables["SITE_URL" if is_site else "PROVIDER_ISSUER"]
    address = url.removeprefix("http://")
    log = STATE_DIR / ("site.log" if is_site else "provider.log")
    with (
        log.open("w") as output,
        subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "django", "runserver", "--noreload", address],
            cwd=BASE_DIR,
            env={**variables, "DJANGO_SETTINGS_MODULE": settings},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as server,
    ):
        print(f"{'site' if is_site else 'provider':9} {url}  (log: {log})")
        try:
            yield
        finally:
            server.terminate()


def wait_for(url: str) -> None:
    """Return when a server answers there."""
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        try:
            requests.get(url, timeout=5)
        except requests.ConnectionError:
            if time.monotonic() > deadline:
                raise LoginFailed(
                    f"{url} does not answer; see {STATE_DIR}/*.log"
                ) from None
            time.sleep(0.2)
        else:
            return


def free_port(wanted: int) -> int:
    """`wanted`, or the next port that is free."""
    for port in range(wanted, wanted + 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port != wanted:
            print(f"port {wanted} is busy, taking {port}")
        return port
    raise SystemExit(f"no free port from {wanted} on")


def _names(path: Path) -> list[str]:
    return [line.partition("=")[0] for line in path.read_text().splitlines()]


def _write_secret(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
