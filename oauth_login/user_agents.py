"""The name of a browser, as coarse as people say it: "Firefox on Linux".

Without version and address: enough for users to recognise their own browsers, and too
little to track them.
"""

from __future__ import annotations

from django.utils.translation import pgettext

MAX_USER_AGENT = 500

# The first match counts: many browsers name other browsers as well.
_BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "CriOS": "Chrome",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
}
_SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "CrOS": "ChromeOS",
    "Mac OS X": "macOS",
    "Linux": "Linux",
}


def user_agent_name(user_agent: str) -> str:
    """Such as "Chrome on Windows"; empty for a text that no known browser sends."""
    text = user_agent[:MAX_USER_AGENT]
    browser = _first(_BROWSERS, text)
    system = _first(_SYSTEMS, text)
    return f"{browser} on {system}" if browser and system else browser or system


def translated_user_agent(name: str) -> str:
    """A name from user_agent_name(), in the active language."""
    browser, joint, system = name.partition(" on ")
    if not joint:
        return name
    return pgettext("oauth_login page", "%(browser)s on %(system)s") % {
        "browser": browser,
        "system": system,
    }


def shown_user_agent(name: str) -> str:
    """A name from user_agent_name(), or words for none, in the active language."""
    return translated_user_agent(name) or pgettext(
        "oauth_login page", "Unknown browser"
    )


def _first(names: dict[str, str], text: str) -> str:
    return next((name for mark, name in names.items() if mark in text), "")
