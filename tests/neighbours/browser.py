"""A browser without a screen, and what a person would tell of a page it shows."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import requests

MAX_HOPS = 20
TIMEOUT = 20
NEXT_PAGE = re.compile(r'<meta http-equiv="refresh" content="0; url=([^"]+)"')
# What is told of a page beside its status and its path.
MARKS = {
    "button": re.compile("Continue with Demo SSO"),
    "our-css": re.compile(r"oauth_login/admin_login[.\w]*css"),
    "password-form": re.compile(r'type="password"'),
    "token-form": re.compile(r'name="otp_token"'),
}
CODES = re.compile(r"\b((?:account|callback|config|authorization)\.[a-z_]+)</bdi>")
RIGHTS = re.compile(r"rights: ([\w@. ]*)\.")


class Browser:
    """Keeps cookies, follows redirects and pages that lead on by themselves.

    Every host name leads to this machine, as a browser has it for *.localhost.
    """

    def __init__(self, site: str, *, end_session: str) -> None:
        self.site = site
        self._end_session = end_session
        self._header = ""
        self._session = requests.Session()
        self._session.trust_env = False

    def do(self, action: str, person: str, *, header: str = "") -> str:
        """One line of the table: its action, and what came of it."""
        self._header = header
        verb, _, rest = action.replace("{site}", self.site).partition(" ")
        path, _, fields = rest.partition(" ")
        form = dict(parse_qsl(fields, keep_blank_values=True))
        if verb == "GET":
            return self._go("GET", path, person, headers=form)
        if verb == "LOGIN":
            begin = f"/auth/demo/login/?{urlencode({'next': path})}"
            return self._go("GET", begin, form.get("person", person))
        if verb == "POST":
            form["csrfmiddlewaretoken"] = self._send(
                "GET", urljoin(self.site, "/csrf-token/")
            ).text
            return self._go("POST", path, person, form=form)
        raise ValueError(f"{verb} is not an action: {action}")

    def _go(
        self,
        method: str,
        path: str,
        person: str,
        *,
        form: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> str:
        url, body = urljoin(self.site, path), form
        if path.startswith("//"):  # another host of the same server
            host, _, rest = path[2:].partition("/")
            url = f"http://{host}:{urlsplit(self.site).port}/{rest}"
        through_provider = False
        for _ in range(MAX_HOPS):
            response = self._send(method, url, form=body, headers=headers)
            method, body = "GET", None
            through_provider |= url.startswith(self._end_session)
            onward = response.headers.get("Location") if response.is_redirect else None
            if onward is None and (refresh := NEXT_PAGE.search(response.text)):
                onward = refresh[1].replace("&amp;", "&")
            if onward is None and "Who are you?" in response.text:
                # What the button of the provider's page adds to its own address.
                onward = f"{url}&{urlencode({'person': person})}"
            if onward is None:
                told = self._tell(response, url)
                return f"{told} through-provider" if through_provider else told
            url = urljoin(url, onward)
        return f"endless {urlsplit(url).path}"

    def _send(
        self,
        method: str,
        url: str,
        *,
        form: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> requests.Response:
        # `requests` keeps cookies by the Host header, where there is one.
        parts = urlsplit(url)
        here = parts._replace(netloc=f"127.0.0.1:{parts.port}").geturl()
        return self._session.request(
            method,
            here,
            data=form,
            headers={**(headers or {}), "Host": parts.netloc},
            allow_redirects=False,
            timeout=TIMEOUT,
        )

    def _tell(self, response: requests.Response, url: str) -> str:
        at, page = urlsplit(url), response.text
        told = [str(response.status_code), at.path]
        if f"{at.scheme}://{at.netloc}" != self.site:
            told[1] = f"{at.hostname}{at.path}"
        told += CODES.findall(page)
        told += [mark for mark, pattern in MARKS.items() if pattern.search(page)]
        told += [word for names in RIGHTS.findall(page) for word in names.split()]
        if self._header:
            # Directives of a policy have no order.
            parts = response.headers.get(self._header, "").split("; ")
            told.append(f"{self._header}: {'; '.join(sorted(parts))}")
        return " ".join(told)
