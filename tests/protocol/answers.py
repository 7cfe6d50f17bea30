"""Answers of a provider, and what an attempt is refused with."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from oauth_login.errors import OAuthLoginError
from oauth_login.protocol.http import ProviderResponse

Row = tuple[Callable[[], object], str, dict[str, Any]]


def refusal(attempt: Callable[[], object]) -> tuple[str, dict[str, Any]]:
    with pytest.raises(OAuthLoginError) as caught:
        attempt()
    return caught.value.code, caught.value.detail


def answer(content: object, status: int = 200, **headers: str) -> ProviderResponse:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    given = {"content-type": "application/json"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    return ProviderResponse(status, given, body)
