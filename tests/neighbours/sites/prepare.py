"""The tables, and the one user that the site had before us: `local`, a superuser.

Checks are not run: what they say is a row of the table.
"""

from __future__ import annotations

import importlib
import importlib.util
import os

import django
from django.core.management import call_command

PASSWORD = "of-this-machine-only"


def main() -> None:
    django.setup()
    own = f"tests.neighbours.sites.{os.environ['NEIGHBOUR']}.prepare"
    if importlib.util.find_spec(own):
        importlib.import_module(own).main()
        return
    call_command("migrate", verbosity=0, skip_checks=True)
    make_local_user()


def make_local_user() -> None:
    from django.contrib.auth import get_user_model

    get_user_model()._default_manager.create_superuser(
        username="local", email="local@example.test", password=PASSWORD
    )


if __name__ == "__main__":
    main()
