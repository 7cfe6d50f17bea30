"""A person at a provider's pages: follows redirects, fills in forms."""

from __future__ import annotations

from collections.abc import Mapping
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import requests

MAX_HOPS = 20


class Form(HTMLParser):
    """The first form of a page: where it goes and what it sends."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self._open = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form" and self.action is None:
            self.action, self._open = attributes.get("action", ""), True
        elif not attributes.get("name"):
            return
        elif (self._open or "form" in attributes) and tag in ("input", "button"):
            if attributes.get("type") in ("checkbox", "radio"):
                return
            self.fields.setdefault(attributes["name"], attributes.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = False


def walk_to(
    site: str, url: str, answers: Mapping[str, str], session: requests.Session
) -> str:
    """From the provider's `url` through its pages; the URL it sends us back to.

    `answers` fills form fields by name. Stops at the first redirect to `site`.
    """
    method, body = "GET", None
    for _ in range(MAX_HOPS):
        response = session.request(
            method, url, data=body, allow_redirects=False, timeout=10
        )
        if response.is_redirect:
            url = urljoin(url, response.headers["Location"])
            method, body = "GET", None
        else:
            assert response.status_code == 200, (url, response.status_code)
            form = Form(response.text)
            assert form.action is not None, f"no form on {url}"
            body = form.fields | {
                name: answer for name, answer in answers.items() if name in form.fields
            }
            url, method = urljoin(url, form.action), "POST"
        if "{0.scheme}://{0.netloc}".format(urlsplit(url)) == site:
            return url
    raise AssertionError(f"still at the provider after {MAX_HOPS} hops: {url}")
