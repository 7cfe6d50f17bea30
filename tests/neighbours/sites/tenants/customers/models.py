"""Who has a schema, and at which host."""

from __future__ import annotations

from django.db import models
from django_tenants.models import DomainMixin, TenantMixin


class Customer(TenantMixin):
    name = models.CharField(max_length=50)

    def __str__(self) -> str:
        return self.name


class Domain(DomainMixin):
    pass
