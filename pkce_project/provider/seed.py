"""People and the site's registration, for a new provider: `python -m …seed`.

Reads what it needs from the environment, as the settings do.
"""

from __future__ import annotations

import os

import django


def main() -> None:
    """Make them, or bring them up to date."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pkce_project.provider.settings")
    django.setup()
    # Models can be imported only now.
    from django.contrib.auth.hashers import make_password
    from django.contrib.auth.models import User
    from oauth2_provider.models import Application

    from pkce_project.provider.people import PEOPLE

    site = os.environ["SITE_URL"]
    password = make_password(os.environ["DEMO_PASSWORD"])
    for name in PEOPLE:
        User.objects.update_or_create(
            username=name,
            defaults={
                "password": password,
                "first_name": name.capitalize(),
                "last_name": "Example",
                "email": f"{name}@example.test",
            },
        )
    Application.objects.update_or_create(
        client_id=os.environ["OAUTH_LOGIN_DEMO_CLIENT_ID"],
        defaults={
            "name": "the demo site",
            "client_secret": os.environ["OAUTH_LOGIN_DEMO_CLIENT_SECRET"],
            "client_type": Application.CLIENT_CONFIDENTIAL,
            "authorization_grant_type": Application.GRANT_AUTHORIZATION_CODE,
            "redirect_uris": f"{site}/auth/demo/callback/",
            "post_logout_redirect_uris": f"{site}/auth/logged-out/",
            "algorithm": Application.RS256_ALGORITHM,
        },
    )


if __name__ == "__main__":
    main()
