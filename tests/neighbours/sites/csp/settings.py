"""django-csp, with a policy that allows nothing but what the site serves."""

from __future__ import annotations

from tests.neighbours.sites.base import *

MIDDLEWARE = ["csp.middleware.CSPMiddleware", *MIDDLEWARE]
INSTALLED_APPS = [*INSTALLED_APPS, "csp"]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "img-src": ["'self'"],
        "style-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'self'"],
    }
}
