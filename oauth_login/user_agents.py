"""Which browser somebody uses, as coarsely as people speak of it: "Firefox on Linux".

No version and no address: enough to recognise one's own, too little to follow anybody.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

MAX_USER_AGENT = 500

# The first that is in the text: many browsers name others as well.
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
    """Such as "Chrome on Windows"; empty if the text is not one that browsers send."""
    text = user_agent[:MAX_USER_AGENT]
    browser = _first(_BROWSERS, text)
    system = _first(_SYSTEMS, text)
    return f"{browser} on {system}" if browser and system else browser or system


def translated_user_agent(name: str) -> str:
    """What `user_agent_name` made, in the language of whoever looks at it."""
    browser, joint, system = name.partition(" on ")
    if not joint:
        return name
    return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}


def _first(names: dict[str, str], text: str) -> str:
    return next((name for mark, name in names.items() if mark in text), "")
