"""README's "Add it to your site", as it stands there, in a new project of Django's."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
# What the text says that one sees, asked of the new project by its own test client.
VISIT = """
import django
django.setup()
from django.test.utils import setup_test_environment
setup_test_environment()
from django.test import Client
from oauth_login.testing import log_in, stand_in

with stand_in() as provider:
    provider.people["alice"]["groups"] = ["ops"]
    page = Client().get("/admin/login/?next=/admin/").content.decode()
    assert "Continue with corp" in page and 'type="password"' in page
    alice, bob = Client(), Client()
    for browser, name in ((alice, "alice"), (bob, "bob")):
        done = log_in(browser, provider, person=name, next="/admin/")
        assert done.login_error is None, done.login_error
    assert alice.get("/admin/").status_code == 200
    denied = bob.get("/admin/", follow=True)
    assert denied.status_code == 403
    assert "This area is only for staff." in denied.content.decode()
    account = bob.get("/auth/account/").content.decode()
    assert "This browser" in account and "Sign out" in account
print("as README says")
"""


@pytest.fixture
def blocks() -> list[str]:
    section = README.partition("## Add it to your site")[2].partition("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", section, re.DOTALL)


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., str]:
    """One command in the new project, with the variables that README names."""
    names = set(re.findall(r'os\.environ\["(\w+)"\]', README))
    assert names == {"CORP_ISSUER", "CORP_CLIENT_ID", "CORP_CLIENT_SECRET"}
    variables = {
        **{
            n: v for n, v in os.environ.items() if not n.startswith(("DJANGO", "OAUTH"))
        },
        "CORP_ISSUER": "https://id.example.com",
        "CORP_CLIENT_ID": "mysite",
        "CORP_CLIENT_SECRET": "a-secret-of-this-test-with-32-bytes!",
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}",
    }

    def run_there(*arguments: str, **more: str) -> str:
        done = subprocess.run(  # noqa: S603 - our own commands
            [sys.executable, *arguments],
            cwd=tmp_path,
            env={**variables, **more},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run_there


def test_readme_runs_as_it_stands_in_a_new_project(
    tmp_path: Path, blocks: list[str], run: Callable[..., str]
) -> None:
    settings, urls = blocks
    run("-m", "django", "startproject", "mysite", ".")
    for file, block in (("settings.py", settings), ("urls.py", urls)):
        with (tmp_path / "mysite" / file).open("a") as source:
            source.write(block)

    assert "no issues" in run("manage.py", "check")
    run("manage.py", "migrate", "--verbosity=0")

    visit = run("-c", VISIT, DJANGO_SETTINGS_MODULE="mysite.settings")
    assert "as README says" in visit


@pytest.mark.parametrize("issuer", ["https://id.example.com", "http://127.0.0.1:9000"])
def test_the_test_case_of_the_documentation_runs_with_djangos_own_runner(
    tmp_path: Path, blocks: list[str], run: Callable[..., str], issuer: str
) -> None:
    text = (ROOT / "docs/testing.md").read_text()
    section = text.partition("## With Django's TestCase")[2].partition("\n## ")[0]
    (test_case,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    (value,) = re.findall(r'`"ALLOW_HTTP_LOOPBACK": (\w+)`', section)
    settings, urls = blocks
    if issuer.startswith("http:"):
        settings += f"OAUTH_LOGIN['ALLOW_HTTP_LOOPBACK'] = {value}\n"
    run("-m", "django", "startproject", "mysite", ".")
    for file, block in (("settings.py", settings), ("urls.py", urls)):
        with (tmp_path / "mysite" / file).open("a") as source:
            source.write(block)
    (tmp_path / "tests.py").write_text(test_case)

    assert "Found 1 test" in run("manage.py", "test", CORP_ISSUER=issuer)


def test_readme_says_what_to_install_and_what_to_register() -> None:
    assert "\npip install oauth-login\n" in README
    assert "/auth/corp/callback/" in README
    assert 'LOGIN_URL = "oauth_login:login"' in README
