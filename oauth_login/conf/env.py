"""The setting OAUTH_LOGIN from environment variables or docker secrets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

KEYS = ("PRESET", "LABEL", "ISSUER", "CLIENT_ID", "CLIENT_SECRET")


def from_env(env: Any) -> dict[str, Any]:
    """The setting from OAUTH_LOGIN_ISSUER, …_CLIENT_ID, …_CLIENT_SECRET, …_LABEL and
    …_PRESET.

    That is one provider, named "default". With `OAUTH_LOGIN_PROVIDERS=corp,google` it
    is several, from `OAUTH_LOGIN_CORP_ISSUER` and so on. With `_FILE`
    at the end of its name, a variable holds the path of a file with the value.

    `env` is an `environ.Env`, or a mapping such as `os.environ`. Values are read
    as they are: an Env would treat a leading `$` of a secret as a reference.
    """
    variables: Mapping[str, str] = getattr(env, "ENVIRON", env)
    names = [
        name.strip()
        for name in variables.get("OAUTH_LOGIN_PROVIDERS", "").split(",")
        if name.strip()
    ]
    if not names:
        entry = _entry(variables, "OAUTH_LOGIN")
        return {"PROVIDERS": {"default": entry} if entry else {}}
    return {
        "PROVIDERS": {
            name: _entry(variables, f"OAUTH_LOGIN_{name.upper().replace('-', '_')}")
            for name in names
        }
    }


def _entry(variables: Mapping[str, str], prefix: str) -> dict[str, str]:
    entry = {}
    for key in KEYS:
        path = variables.get(f"{prefix}_{key}_FILE")
        if path:
            # Editors end a file with a line break, which is not part of the secret.
            entry[key] = Path(path).read_text().removesuffix("\n")
        elif value := variables.get(f"{prefix}_{key}"):
            entry[key] = value
    return entry
