"""The authorization response of the test provider.

It comes in the query (RFC 6749 section 4.1.2), or in a form that submits itself (OAuth
2.0 Form Post Response Mode).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from oauth_login.testing.answer import Answer, page, with_query
from oauth_login.testing.grants import Params

RESPONSE_MODES = ("query", "form_post")

_SUBMIT = "document.forms[0].submit()"
# The only script that the page with the form may run.
_HASH = base64.b64encode(hashlib.sha256(_SUBMIT.encode()).digest()).decode()
_POLICY = f"default-src 'none'; script-src 'sha256-{_HASH}'; frame-ancestors 'none'"


class Callback(str):
    """The callback URL.

    `form` has the fields that the browser posts there, in order; None for a redirect.
    """

    form: Params | None

    def __new__(cls, url: str, form: Params | None = None) -> Callback:
        callback = super().__new__(cls, url)
        callback.form = form
        return callback


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationResponse:
    """One response; a list value is a repeated parameter."""

    redirect_uri: str
    response_mode: str
    parameters: Mapping[str, Any]

    def callback(self) -> Callback:
        """The URL, and the form, for a test without a browser."""
        if self.response_mode == "form_post":
            return Callback(self.redirect_uri, self._fields())
        return Callback(with_query(self.redirect_uri, self.parameters))

    def answer(self) -> Answer:
        """The HTTP response for a browser."""
        if self.response_mode == "form_post":
            return _form(self.redirect_uri, self._fields())
        return Answer(302, {"Location": self.callback()}, b"")

    def _fields(self) -> list[tuple[str, str]]:
        return [
            (name, str(value))
            for name, values in self.parameters.items()
            for value in (values if isinstance(values, list) else [values])
        ]


def _form(url: str, fields: Params) -> Answer:
    inputs = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">\n'
        for name, value in fields
    )
    answer = page(
        f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Back to the site</title>
</head>
<body>
<form method="post" action="{escape(url)}">
{inputs}<button>Continue</button>
</form>
<script>{_SUBMIT}</script>
</body>
</html>
"""
    )
    headers = {**answer.headers, "Content-Security-Policy": _POLICY}
    # With "no-referrer", browsers send `Origin: null`; real providers do not set it.
    del headers["Referrer-Policy"]
    return answer._replace(headers=headers)
