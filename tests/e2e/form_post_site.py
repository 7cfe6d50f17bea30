"""The demo site's settings, for a provider that answers with forms and may begin.

A witness writes down what each request brought along, from the server's side.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from pkce_project.settings import *  # noqa: F403 - all of them, and these
from pkce_project.settings import MIDDLEWARE, OAUTH_LOGIN, STATE_DIR

WITNESS = STATE_DIR / "requests.jsonl"

OAUTH_LOGIN["PROVIDERS"]["demo"] |= {
    "RESPONSE_MODE": os.environ["RESPONSE_MODE"],
    "INITIATE_LOGIN": True,
}
MIDDLEWARE = ["tests.e2e.form_post_site.witness", *MIDDLEWARE]


def witness(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    def write_down(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        seen = {
            "method": request.method,
            "path": request.path,
            "url": request.get_full_path(),
            "from": request.headers.get("Sec-Fetch-Site"),
            "cookies": sorted(request.COOKIES),
            "status": response.status_code,
        }
        with WITNESS.open("a") as file:
            file.write(json.dumps(seen) + "\n")
        return response

    return write_down
