"""Browsers by the names that people know them by."""

from __future__ import annotations

import pytest

from oauth_login.user_agents import user_agent_name

MOZILLA = "Mozilla/5.0"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (
            f"{MOZILLA} (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/140.0.0.0 Safari/537.36",
            "Chrome on Linux",
        ),
        (
            f"{MOZILLA} (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like "
            "Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
            "Edge on Windows",
        ),
        (
            f"{MOZILLA} (iPhone; CPU iPhone OS 18_0 like Mac OS X) "
            "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 "
            "Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            f"{MOZILLA} (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 "
            "Firefox/140.0",
            "Firefox on macOS",
        ),
        (
            f"{MOZILLA} (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like "
            "Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        (f"{MOZILLA} (X11; Linux x86_64)", "Linux"),
        ("curl/8.5.0", ""),
        ("", ""),
        ("<script>alert(1)</script>", ""),
        ("x" * 500 + "Firefox on Linux", ""),
        ("x" * 493 + "Firefox", "Firefox"),
    ],
)
def test_a_browser_is_named_and_nothing_of_its_text_is_kept(
    user_agent: str, name: str
) -> None:
    # T106
    assert user_agent_name(user_agent) == name
