"""Django alone: what every other site is compared with."""

from __future__ import annotations

from tests.neighbours.sites.base import *
