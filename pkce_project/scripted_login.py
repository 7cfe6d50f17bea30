"""One login over sockets, hop by hop, as a browser makes it."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import parse_qs, urljoin, urlsplit

import requests

MAX_HOPS = 20


class LoginFailed(Exception):  # noqa: N818 - that is what it says
    """The login did not go as it should."""


class Form(HTMLParser):
    """The form of a page: where it goes, and what it sends when it is agreed to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = attributes.get("action", "")
        elif tag in ("input", "button") and attributes.get("name"):
            self.fields[attributes["name"]] = attributes.get("value", "")


def scripted_login(site: str, *, person: str, password: str) -> None:
    """Log in at `site`'s admin; prints each hop, raises LoginFailed."""
    browser = requests.Session()
    browser.trust_env = False
    url, method, body = f"{site}/auth/demo/login/?next=/admin/", "GET", None
    print()
    for _ in range(MAX_HOPS):
        response = browser.request(
            method, url, data=body, allow_redirects=False, timeout=20
        )
        _print_hop(method, url, response)
        if response.is_redirect:
            _check_redirect(site, response)
            url, method, body = urljoin(url, response.headers["Location"]), "GET", None
        elif response.status_code != 200:
            raise LoginFailed(f"{response.status_code} at {urlsplit(url).path}")
        elif url == f"{site}/admin/":
            _check_admin(response.text)
            return _log_out(browser, site)
        else:
            form = Form(response.text)
            if form.action is None:
                raise LoginFailed(f"no form at {urlsplit(url).path}")
            body = dict(form.fields)
            if "username" in body:
                body |= {"username": person, "password": password}
            url, method = urljoin(url, form.action), "POST"
    raise LoginFailed(f"still not there after {MAX_HOPS} hops")


def _log_out(browser: requests.Session, site: str) -> None:
    """Leave no session behind: the account page would show it at every later login."""
    url = f"{site}/auth/logout/"
    form = Form(browser.get(url, timeout=20).text)
    response = browser.post(url, data=form.fields, allow_redirects=False, timeout=20)
    _print_hop("POST", url, response)
    _require(response.status_code == 200, "signed out again")


def _print_hop(method: str, url: str, response: requests.Response) -> None:
    parts = urlsplit(url)
    names = ", ".join(parse_qs(parts.query))
    query = f"?{{{names}}}" if names else ""
    place = f"{parts.netloc}{parts.path}{query}"
    print(f"{response.status_code}  {method:4} {place}")


def _check_redirect(site: str, response: requests.Response) -> None:
    target = urlsplit(response.headers["Location"])
    query = parse_qs(target.query)
    if "code_challenge" in query:
        _require(query.get("code_challenge_method") == ["S256"], "PKCE with S256")
        _require("state" in query and "nonce" in query, "a state and a nonce")
        _require(len(query["state"][0]) <= 255, "a state of at most 255 characters")
    elif "code" in query:
        _require("iss" in query, "the response names its issuer (RFC 9207)")
        _require(response.headers["Location"].startswith(site), "back at the site")


def _check_admin(page: str) -> None:
    _require("Site administration" in page, "the admin's first page")
    _require("Identities" in page, "a superuser sees identities")


def _require(fact: bool, what: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not fact:
        raise LoginFailed(f"expected {what}")
    print(f"            checked: {what}")
