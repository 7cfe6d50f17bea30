"""django-axes, which locks an address out after three wrong passwords."""

from __future__ import annotations

from tests.neighbours.sites.base import *

INSTALLED_APPS = [*INSTALLED_APPS, "axes"]
MIDDLEWARE = [*MIDDLEWARE, "axes.middleware.AxesMiddleware"]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    *AUTHENTICATION_BACKENDS,
]
AXES_FAILURE_LIMIT = 3
