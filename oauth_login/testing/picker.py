"""The page of the test provider that asks who is at the browser.

It loads and runs nothing: a heading, a sentence, and a button per person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from oauth_login.testing.answer import Answer, page

# What the buttons add to the authorization request.
PERSON, REFUSAL = "person", "refused"


def people_page(people: Iterable[str], request: Mapping[str, str]) -> Answer:
    """A form that repeats `request` with the chosen person."""
    kept = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">\n'
        for name, value in request.items()
    )
    buttons = "".join(
        f'<p><button name="{PERSON}" value="{escape(name)}">{escape(name)}</button></p>'
        "\n"
        for name in people
    )
    return _page(
        "Who are you?",
        f"<p>This is a provider for tests: it asks for no password. The site that "
        f"sent you is <strong>{escape(request.get('client_id', ''))}</strong>.</p>\n"
        f'<form method="get">\n{kept}{buttons}'
        f'<p><button name="{REFUSAL}" value="1">Cancel</button></p>\n</form>',
    )


def signed_out_page() -> Answer:
    """The end of a logout without post_logout_redirect_uri."""
    return _page("You are signed out", "<p>You can close this window.</p>")


def refusal_page(description: str) -> Answer:
    """An error page: the browser must not be redirected (RFC 6749 4.1.2.1)."""
    answer = _page("This request is wrong", f"<p>{escape(description)}.</p>")
    return answer._replace(status=400)


def _page(title: str, content: str) -> Answer:
    return page(
        f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{escape(title)}</title>
</head>
<body>
<main>
<h1>{escape(title)}</h1>
{content}
</main>
</body>
</html>
"""
    )
