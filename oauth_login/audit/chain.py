"""The chain of login events: each row is authenticated together with the one before.

Off unless EVENT_LOG_KEY is set. The chain is an HMAC-SHA256 (RFC 2104) over a canonical
text: without the key, an attacker who can write to the database cannot change, remove
or insert a row undetected. docs/operations.md says what this does not detect.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connection, transaction
from django.db.models import Max

from oauth_login.conf import get_config
from oauth_login.models import EventChainHead, LoginEvent

logger = logging.getLogger("oauth_login")

HEAD = 1  # the primary key of its only row
CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Break:
    """The first place where the log differs from what this app wrote."""

    sequence: int | None
    what: str


@dataclass(frozen=True, slots=True)
class ChainVerdict:
    """The result of verify(). Store `head`, such as "12:ab34…", on another system."""

    rows: int
    unprotected: int
    head: str
    found: Break | None


def add(event: LoginEvent) -> None:
    """Store an event, at the end of the chain if EVENT_LOG_KEY is set.

    Writers wait for each other until the surrounding transaction ends. If the head was
    tampered with, the row is stored outside the chain: the login does not fail, and the
    chain does not continue from a forged head.
    """
    event.user_key = "" if event.user_id is None else _key_of(event.user_id)
    key = get_config().event_log_key
    if key is None:
        event.save(force_insert=True)
        return
    with transaction.atomic():
        head = _locked_head(key, create=True)
        if head is None:
            logger.critical("the log of login events was changed, or its key was")
        else:
            sequence = head.sequence + 1
            event.sequence = sequence
            event.mac = mac = _mac(key, event, head.mac)
            head.sequence, head.mac = sequence, mac
            _save(key, head)
        event.save(force_insert=True)


def verify(*, expected_head: str = "") -> ChainVerdict:
    """Verify the chain up to its present end. Takes no lock, so logins are not blocked.

    `expected_head` is a head that was stored on another system; see ChainVerdict.
    """
    key = get_config().event_log_key or ""
    while True:
        # In this order: add() stores the row and the head in one transaction.
        last = LoginEvent.objects.aggregate(last=Max("sequence"))["last"] or 0
        head = EventChainHead.objects.filter(pk=HEAD).first()
        found = _first_break(key, head, expected_head)
        if found is None and head is not None and last > head.sequence:
            found = Break(head.sequence + 1, "rows were put after the end")
        now = EventChainHead.objects.filter(pk=HEAD).first()
        # Start again if rows were pruned in the meantime: this head still counts them.
        if (now and now.anchor_mac) == (head and head.anchor_mac):
            break
    outside = LoginEvent.objects.filter(sequence__isnull=True)
    if head is not None:
        later = outside.filter(created_at__gte=head.started_at)
        outside = outside.filter(created_at__lt=head.started_at)
        if found is None and (row := later.order_by("created_at").first()):
            found = Break(None, f"a row outside of the chain: {row.reference}")
    return ChainVerdict(
        rows=LoginEvent.objects.filter(sequence__isnull=False).count(),
        unprotected=outside.count(),
        head=str(head or ""),
        found=found,
    )


def prune(before: datetime, *, limit: int) -> int:
    """Delete the oldest events before that time, at most `limit`. Returns how many.

    In the chain only the first rows are deleted; the MAC of the last deleted row is
    stored in the head as the anchor.
    """
    old = LoginEvent.objects.filter(created_at__lt=before)
    free = old.filter(sequence__isnull=True).order_by("pk")
    keys = list(free.values_list("pk", flat=True)[:limit])
    deleted, _ = LoginEvent.objects.filter(pk__in=keys).delete()
    if deleted == limit or not old.filter(sequence__isnull=False).exists():
        return deleted
    with transaction.atomic():
        return deleted + _prune_chain(before, limit=limit - deleted)


def restart() -> None:
    """Begin a new chain: after a change of the key, or once a break was investigated.

    The existing rows stay, unprotected, outside the new chain.
    """
    with transaction.atomic():
        EventChainHead.objects.filter(pk=HEAD).delete()
        LoginEvent.objects.filter(sequence__isnull=False).update(sequence=None, mac="")


def _prune_chain(before: datetime, *, limit: int) -> int:
    key = get_config().event_log_key or ""
    head = _locked_head(key, create=False)
    if head is None:
        # Without the key, the new anchor could not be sealed.
        logger.error("chained login events were not pruned: no key, or a break")
        return 0
    chained = LoginEvent.objects.filter(sequence__isnull=False).order_by("sequence")
    kept = chained.filter(created_at__gte=before).first()
    if kept is not None:
        chained = chained.filter(sequence__lt=kept.sequence)
    rows = list(chained[:limit])
    sequence, mac = head.anchor_sequence, head.anchor_mac
    for row in rows:
        sequence += 1
        if wrong := _what_is_wrong(key, row, sequence, mac):
            # Pruning by a forged date would delete evidence.
            logger.critical("login events were not pruned: %s at %d", wrong, sequence)
            return 0
        mac = row.mac
    head.anchor_sequence, head.anchor_mac = sequence, mac
    _save(key, head)
    LoginEvent.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


def _what_is_wrong(key: str, row: LoginEvent, sequence: int, previous: str) -> str:
    """What is wrong with the row at this place in the chain; empty if nothing is."""
    if row.sequence != sequence:
        return "a row was removed"
    if not hmac.compare_digest(row.mac, _mac(key, row, previous)):
        return "a row was changed, or put in"
    if row.user_id is not None and _key_of(row.user_id) != row.user_key:
        return "a row was given to another user"
    return ""


def _first_break(
    key: str, head: EventChainHead | None, expected_head: str
) -> Break | None:
    chained = LoginEvent.objects.filter(sequence__isnull=False)
    if head is None:
        gone = bool(expected_head) or chained.exists()
        return Break(None, "the head was removed") if gone else None
    if not hmac.compare_digest(head.seal, _seal(key, head)):
        return Break(None, "the head was changed, or was made with another key")
    kept, _, kept_mac = expected_head.partition(":")
    sequence, mac = head.anchor_sequence, head.anchor_mac
    rows = chained.filter(sequence__lte=head.sequence).order_by("sequence")
    for row in rows.iterator(chunk_size=CHUNK):
        sequence += 1
        if wrong := _what_is_wrong(key, row, sequence, mac):
            return Break(sequence, wrong)
        if kept == str(sequence) and kept_mac != row.mac:
            return Break(sequence, "this is not the log whose head was kept")
        mac = row.mac
    if (sequence, mac) != (head.sequence, head.mac):
        return Break(sequence + 1, "rows were removed from the end")
    if kept and int(kept) > sequence:
        return Break(sequence + 1, "rows were removed from the end, with their head")
    return None


def _locked_head(key: str, *, create: bool) -> EventChainHead | None:
    """The head, locked; None if it, or a row behind it, was tampered with."""
    heads = EventChainHead.objects.filter(pk=HEAD)
    # Write before reading: SQLite locks only for a write, and refuses the lock to a
    # transaction that has read an older state.
    if not heads.update(lock=False):
        if not create:
            return None
        new = EventChainHead(pk=HEAD)
        new.seal = _seal(key, new)
        # On a conflict, update the row. Ignoring it would take a shared lock; two such
        # transactions would then wait for each other's write: a deadlock.
        targets = connection.features.supports_update_conflicts_with_target
        EventChainHead.objects.bulk_create(
            [new],
            update_conflicts=True,
            unique_fields=["id"] if targets else None,
            update_fields=["lock"],
        )
    # With a lock, so that the current row is read and not that of an old snapshot.
    head = heads.select_for_update().first()
    if head is None or not hmac.compare_digest(head.seal, _seal(key, head)):
        return None
    behind = LoginEvent.objects.filter(sequence__gt=head.sequence)
    return None if behind.exists() else head


def _key_of(user_id: object) -> str:
    return str(user_id)[: LoginEvent._meta.get_field("user_key").max_length]


def _save(key: str, head: EventChainHead) -> None:
    head.seal = _seal(key, head)
    head.save(force_update=True)


def _mac(key: str, event: LoginEvent, previous: str) -> str:
    return _hmac(
        key,
        "oauth_login.event.1",
        previous,
        event.sequence,
        _instant(event.created_at),
        event.outcome,
        event.code,
        event.provider,
        event.user_key,
        event.reference,
        event.client,
        # Rows of before this field existed stand for one event each.
        *([event.count] if event.count != 1 else []),
    )


def _seal(key: str, head: EventChainHead) -> str:
    return _hmac(
        key,
        "oauth_login.head.1",
        head.sequence,
        head.mac,
        head.anchor_sequence,
        head.anchor_mac,
        _instant(head.started_at),
    )


def _hmac(key: str, *parts: str | int | None) -> str:
    # A JSON list in ASCII: different lists of values never give the same text.
    text = json.dumps(parts, ensure_ascii=True, separators=(",", ":"))
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def _instant(time: datetime) -> str:
    # Databases may return a time in another zone than it was stored with.
    in_utc = time.astimezone(UTC) if time.tzinfo else time
    return in_utc.isoformat(timespec="microseconds")
