"""The session of one request, watched: who asks for its user gets none if it is over.

Django, Django REST framework and others find the user by a key in the session:
`request.user`, `request.auser()` and `auth.get_user(request)` alike. So the first read
of that key judges the session, once for the request (T140, T173). A request that does
not ask for the user costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib import auth
from django.contrib.sessions.backends.base import SessionBase

from oauth_login.sessions.facts import (
    SIGNED_IN_AT_KEY,
    is_impersonated,
    login_facts,
    session_user,
)


@dataclass(frozen=True, slots=True)
class LoginBefore:
    """The login of a session at the beginning of the request."""

    user: str
    facts: dict[str, Any]
    signed_in_at: int | None
    is_impersonated: bool


def watch(session: SessionBase, judge: Callable[[], None]) -> None:
    """Call `judge` when the user's key is first read. It may empty the session."""
    session.__class__ = _watched(type(session))
    session._oauth_login_judge = judge  # type: ignore[attr-defined] # see _Watched


def is_watched(session: SessionBase) -> bool:
    """Whether LoginSessionMiddleware watches this session."""
    return isinstance(session, _Watched)


def login_before(session: SessionBase) -> LoginBefore | None:
    """The login that was judged in this request and is not over, if there was one."""
    return session._oauth_login_before if isinstance(session, _Watched) else None


class _Watched(SessionBase):
    """What is in front of a site's own kind of session."""

    _oauth_login_judge: Callable[[], None] | None = None
    _oauth_login_before: LoginBefore | None = None

    def __contains__(self, key: object) -> bool:
        self._look(key)
        return super().__contains__(key)

    def __getitem__(self, key: str) -> Any:
        self._look(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self._look(key)
        return super().get(key, default)

    async def aget(self, key: str, default: Any = None) -> Any:
        await self._alook(key)
        return await super().aget(key, default)

    def has_key(self, key: str) -> bool:
        self._look(key)
        return super().has_key(key)

    async def ahas_key(self, key: str) -> bool:
        await self._alook(key)
        return await super().ahas_key(key)

    def pop(self, key: str, *default: Any, **named: Any) -> Any:
        self._look(key)
        return super().pop(key, *default, **named)

    async def apop(self, key: str, *default: Any, **named: Any) -> Any:
        await self._alook(key)
        return await super().apop(key, *default, **named)

    def setdefault(self, key: str, value: Any = None) -> Any:
        self._look(key)
        return super().setdefault(key, value)

    async def asetdefault(self, key: str, value: Any = None) -> Any:
        await self._alook(key)
        return await super().asetdefault(key, value)

    def _look(self, key: object) -> None:
        judge = self._oauth_login_judge
        if judge is None or key != auth.SESSION_KEY:
            return
        # The judge reads the key, too, and logging out tells its receivers who it was.
        self._oauth_login_judge = None
        try:
            judge()
        except BaseException:
            self._oauth_login_judge = judge  # no verdict: the next read asks again
            raise
        user = session_user(self)
        if user is not None:
            self._oauth_login_before = LoginBefore(
                user,
                login_facts(self),
                self.get(SIGNED_IN_AT_KEY),
                is_impersonated(self),
            )

    async def _alook(self, key: object) -> None:
        if self._oauth_login_judge is not None and key == auth.SESSION_KEY:
            await sync_to_async(self._look)(key)


@cache
def _watched(kind: type[SessionBase]) -> type[SessionBase]:
    if issubclass(kind, _Watched):
        return kind
    return type(kind.__name__, (_Watched, kind), {"__module__": kind.__module__})
