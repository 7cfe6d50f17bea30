"""User models as sites have them: the suite runs the login on each."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import AbstractUser, PermissionsMixin, UserManager
from django.core.validators import RegexValidator
from django.db import models


class EmailUserManager(BaseUserManager["EmailUser"]):
    def create_user(
        self, email: str, password: str | None = None, **fields: Any
    ) -> Any:
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.save()
        return user


class EmailUser(AbstractBaseUser, PermissionsMixin):
    """The address is the login name; there is no other."""

    email = models.EmailField(unique=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)

    USERNAME_FIELD = "email"
    objects = EmailUserManager()

    class Meta:
        swappable = "AUTH_USER_MODEL"  # only the one in use has a table


class NoEmailUser(AbstractBaseUser, PermissionsMixin):
    """A login name and nothing else."""

    nick = models.CharField(max_length=30, unique=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)

    USERNAME_FIELD = "nick"
    objects = UserManager()

    class Meta:
        swappable = "AUTH_USER_MODEL"  # only the one in use has a table


class UuidUser(AbstractUser):
    """A UUID as key, and a field that must be filled."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    department = models.CharField(max_length=20)

    class Meta(AbstractUser.Meta):
        swappable = "AUTH_USER_MODEL"


def resolve_user(identity: Any, user: Any) -> Any:
    """The hook with which a site fills the field of UuidUser."""
    if user is None:
        name = str(identity.claims["preferred_username"])
        return UuidUser(username=name, department="sales")
    return user


class Everything(AbstractBaseUser):
    """A user with a field of each kind that a claim may meet. Never logs in."""

    login = models.CharField(max_length=30, unique=True)
    name = models.CharField(max_length=20, blank=True)
    mail = models.EmailField(blank=True)
    page = models.URLField(blank=True)
    letters = models.CharField(
        max_length=5, blank=True, validators=[RegexValidator(r"^[a-z]+\Z")]
    )
    size = models.CharField(
        max_length=1, blank=True, choices=[("S", "small"), ("L", "large")]
    )
    number = models.IntegerField(null=True, blank=True)
    small = models.PositiveSmallIntegerField(null=True, blank=True)
    staff_number = models.CharField(max_length=9, null=True, unique=True)  # noqa: DJ001 - unique
    is_external = models.BooleanField(default=False)
    born_on = models.DateField(null=True, blank=True)
    key_of_old = models.UUIDField(null=True, blank=True)
    picture = models.FileField(blank=True)
    secret = models.BinaryField(blank=True)
    manager = models.ForeignKey("self", null=True, on_delete=models.SET_NULL)

    USERNAME_FIELD = "login"
    EMAIL_FIELD = "mail"
    objects = UserManager()
