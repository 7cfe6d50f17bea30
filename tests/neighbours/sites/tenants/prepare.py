"""A new database with two tenants; what an earlier run left of it goes."""

from __future__ import annotations

import psycopg
from django.conf import settings
from django.core.management import call_command
from psycopg import sql

from tests.neighbours.sites.prepare import make_local_user


def main() -> None:
    _new_database()
    from django_tenants.utils import tenant_context

    from tests.neighbours.sites.tenants.customers.models import Customer, Domain

    call_command("migrate_schemas", shared=True, verbosity=0, skip_checks=True)
    for host in settings.ALLOWED_HOSTS:
        name = host.partition(".")[0]
        tenant = Customer(schema_name="public" if name == "127" else name, name=name)
        tenant.save(verbosity=0)
        Domain.objects.create(domain=host, tenant=tenant, is_primary=True)
        if name != "127":
            with tenant_context(tenant):
                make_local_user()


def _new_database() -> None:
    own = settings.DATABASES["default"]
    with psycopg.connect(
        host=own["HOST"],
        port=own["PORT"],
        user=own["USER"],
        password=own["PASSWORD"],
        dbname="postgres",
        autocommit=True,
    ) as connection:
        name = sql.Identifier(own["NAME"])
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(name))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
