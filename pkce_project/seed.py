"""What Editors may do in the demo's admin: `python -m pkce_project.seed`.

The site makes the group here, before anyone logs in; a login puts bob into it.
"""

from __future__ import annotations

import os

import django


def main() -> None:
    """Make the group, or bring it up to date."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pkce_project.settings")
    django.setup()
    # Models can be imported only now.
    from django.contrib.auth.models import Group, Permission

    editors, _ = Group.objects.get_or_create(name="Editors")
    names = ["view_user", "view_group", "view_loginevent"]
    editors.permissions.set(Permission.objects.filter(codename__in=names))


if __name__ == "__main__":
    main()
