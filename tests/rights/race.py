"""A process of test_races.py: logs in when it is told to, again and again.

`python -m tests.rights.race SUBJECT GROUP…` reads one line for each login, and answers
it with the name of the user, or with the error.
"""

from __future__ import annotations

import sys

import django


def main(subject: str, groups: list[str]) -> None:
    django.setup()
    from django.contrib.auth import authenticate
    from django.test import RequestFactory

    from oauth_login.errors import LoginRefused
    from oauth_login.flow import VerifiedIdentity

    print("ready", flush=True)
    for line in sys.stdin:
        number = line.strip()
        claims = {"groups": groups, "email": f"{number}@example.test"}
        who = VerifiedIdentity(
            provider="corp",
            issuer="https://id.example.com",
            subject=f"{subject}-{number}",
            claims=claims,
            claims_complete=True,
        )
        try:
            user = authenticate(RequestFactory().get("/"), oauth_login_token=who)
        except LoginRefused as error:
            print(error.code, flush=True)
        except Exception as error:
            print(repr(error).replace("\n", " "), flush=True)
        else:
            print(getattr(user, "username", user), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
