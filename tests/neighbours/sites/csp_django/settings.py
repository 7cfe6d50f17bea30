"""The Content-Security-Policy that Django itself sends since 6.0."""

from __future__ import annotations

from tests.neighbours.sites.base import *

MIDDLEWARE = ["django.middleware.csp.ContentSecurityPolicyMiddleware", *MIDDLEWARE]
SECURE_CSP = {
    "default-src": ["'none'"],
    "img-src": ["'self'"],
    "style-src": ["'self'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'self'"],
}
