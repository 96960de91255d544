"""The tables. Times are epoch milliseconds, UTC; keys are integers and never leave the database.

Addresses stand in ``contact_points`` alone, encrypted, with a keyed hash for look-up by equality and the last
digits for screens; deliveries, attempts and receipts refer to the contact point, never to the address.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from app.domain.evidence import Evidence, Work

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Key = BigInteger().with_variant(Integer, "sqlite")
Millis = BigInteger
Word = String(32)
"""A value of one of the domain's enumerations."""


def _key() -> Column[int]:
    return Column("id", Key, primary_key=True, autoincrement=True)


def _to(name: str, target: str, *, nullable: bool = False, index: bool = False) -> Column[int]:
    return Column(name, Key, ForeignKey(f"{target}.id"), nullable=nullable, index=index)


def _public() -> Column[str]:
    return Column("public_id", String(26), nullable=False, unique=True)


# ---------------------------------------------------------------- above productions: found before the tenant is

home = Table(
    "home",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)
"""Facts about this database itself: that it is a demonstration, when an engine was last alive."""

engines = Table(
    "engines",
    metadata,
    Column("worker", String(32), primary_key=True),
    Column("what", Word, nullable=False),
    Column("host", String(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started_at", Millis, nullable=False),
    Column("beat_at", Millis, nullable=False),
)
"""The engines that share this database, each with its heartbeat. Empty on SQLite: a file has one, and a lease."""

users = Table(
    "users",
    metadata,
    _key(),
    _public(),
    Column("name", Text, nullable=False, unique=True),
    Column("role", Word, nullable=False),
    Column("created_at", Millis, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    _key(),
    _public(),
    Column("name", String(64), nullable=False, unique=True),
    Column("kind", Word, nullable=False),
    Column("channel", Word, nullable=False),
    Column("base_url", Text, nullable=False),
    Column("settings", Text, nullable=False),
    Column("secrets", LargeBinary, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("place", Integer, nullable=False),
    Column("created_at", Millis, nullable=False),
)
"""Provider accounts. ``settings`` is JSON; ``secrets`` is encrypted JSON; ``place`` orders them by preference."""

senders = Table(
    "senders",
    metadata,
    _key(),
    _to("account_id", "accounts", index=True),
    _to("production_id", "productions"),
    Column("address", String(64), nullable=False),
    Column("segments_per_second", Integer, nullable=False),
    Column("next_at", Millis, nullable=False, server_default="0"),
    Column("urgent_at", Millis, nullable=False, server_default="0"),
    UniqueConstraint("account_id", "address"),
)
"""Our own numbers, each of one production, and the virtual schedule of each: when its next segment may leave
(microseconds)."""

suppressions = Table(
    "suppressions",
    metadata,
    _key(),
    Column("lookup", String(64), nullable=False, index=True),
    Column("channel", Word, nullable=False),
    _to("production_id", "productions", nullable=True),
    Column("reason", Word, nullable=False),
    Column("source", Text, nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("lifted_at", Millis),
)
"""Opt-outs by keyed hash of the address. Without a production the opt-out holds for the whole company."""

links = Table(
    "links",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    _to("delivery_id", "deliveries", index=True),
    Column("generation", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# ---------------------------------------------------------------- a production and its people

productions = Table(
    "productions",
    metadata,
    _key(),
    _public(),
    Column("name", Text, nullable=False, unique=True),
    Column("region", String(2), nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("message_count", Integer, nullable=False, server_default="0"),
    Column("created_at", Millis, nullable=False),
)

people = Table(
    "people",
    metadata,
    _key(),
    _public(),
    _to("production_id", "productions"),
    Column("name", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("position", Text, nullable=False),
    Column("department_head", Boolean, nullable=False),
    Column("unit", Text, nullable=False),
    Column("language", String(16), nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("call_offset_min", Integer, nullable=False),
    Column("start_date", String(10)),
    Column("finish_date", String(10)),
    Column("day_status", Word, nullable=False),
    Column("quiet_start", Integer),
    Column("quiet_end", Integer),
    Column("emergency", LargeBinary),
    Column("created_at", Millis, nullable=False),
    Column("updated_at", Millis, nullable=False),
    Column("removed_at", Millis),
    Index("ix_people_production_department", "production_id", "department"),
)
"""``quiet_start`` and ``quiet_end`` are minutes of the person's day; ``emergency`` is encrypted JSON."""

contact_points = Table(
    "contact_points",
    metadata,
    _key(),
    _to("production_id", "productions"),
    _to("person_id", "people"),
    Column("kind", Word, nullable=False),
    Column("place", Integer, nullable=False),
    Column("cipher", LargeBinary, nullable=False),
    Column("lookup", String(64), nullable=False, index=True),
    Column("tail", String(32), nullable=False),
    Column("line_type", Word, nullable=False),
    Column("problem", Text),
    Column("first_text_at", Millis),
    Column("created_at", Millis, nullable=False),
    Column("retired_at", Millis),
    UniqueConstraint("person_id", "kind", "lookup"),
)
"""``problem`` says why nothing more should be sent here; ``first_text_at`` when the opt-out words went out;
``retired_at`` when it stood in the crew list no more."""

consents = Table(
    "consents",
    metadata,
    _key(),
    _to("production_id", "productions"),
    _to("contact_point_id", "contact_points", index=True),
    Column("channel", Word, nullable=False),
    Column("state", Word, nullable=False),
    Column("source", Text, nullable=False),
    Column("wording", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", Millis, nullable=False),
)
"""A record per address and channel; the latest one holds."""

# ---------------------------------------------------------------- a message and whom it is for

messages = Table(
    "messages",
    metadata,
    _key(),
    _public(),
    Column("code", String(16), nullable=False),
    _to("production_id", "productions"),
    Column("type", Word, nullable=False),
    Column("priority", Word, nullable=False),
    Column("purpose", Word, nullable=False),
    Column("status", Word, nullable=False),
    Column("channels", Text, nullable=False),
    Column("audience", Text, nullable=False),
    Column("asks", Boolean, nullable=False),
    Column("actor", Text, nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("dirty", Integer, nullable=False, server_default="0"),
    UniqueConstraint("production_id", "code"),
    Index("ix_messages_production_created", "production_id", "created_at"),
)
"""``channels`` and ``audience`` are JSON lists. ``dirty`` rises with every change that a screen would show."""

message_versions = Table(
    "message_versions",
    metadata,
    _key(),
    _to("message_id", "messages"),
    Column("number", Integer, nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("options", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("created_at", Millis, nullable=False),
    UniqueConstraint("message_id", "number"),
)

steps = Table(
    "steps",
    metadata,
    _key(),
    _public(),
    _to("message_id", "messages", index=True),
    _to("version_id", "message_versions"),
    Column("kind", Word, nullable=False),
    Column("actor", Text, nullable=False),
    Column("channels", Text, nullable=False),
    Column("people", Integer, nullable=False),
    Column("unreachable", Integer, nullable=False, server_default="0"),
    Column("created_at", Millis, nullable=False),
    Column("not_before", Millis, nullable=False),
    Column("undone_at", Millis),
    Column("frozen_at", Millis),
    Column("freeze_cursor", Key, nullable=False, server_default="0"),
    Column("routed_at", Millis),
    Column("route_cursor", Key, nullable=False, server_default="0"),
    Index(
        "ix_steps_unrouted",
        "not_before",
        sqlite_where=text("routed_at IS NULL AND undone_at IS NULL"),
        postgresql_where=text("routed_at IS NULL AND undone_at IS NULL"),
    ),
)
"""One round of sending. The cursors make freezing and routing resumable after any interruption."""

step_people = Table(
    "step_people",
    metadata,
    _to("step_id", "steps"),
    _to("recipient_id", "recipients"),
    UniqueConstraint("step_id", "recipient_id"),
)
"""Whom a step after the first is for: those it was meant for when the key was pressed."""

recipients = Table(
    "recipients",
    metadata,
    _key(),
    _to("production_id", "productions"),
    _to("message_id", "messages"),
    _to("person_id", "people", index=True),
    Column("department", Text, nullable=False),
    Column("bucket", Word, nullable=False),
    Column("channels", Text, nullable=False, server_default="{}"),
    Column("answer", Word),
    Column("read_at", Millis),
    Column("suppression", Word),
    Column("waits", Word),
    Column("why", Text, nullable=False, server_default=""),
    Column("next", Text, nullable=False, server_default=""),
    UniqueConstraint("message_id", "person_id"),
    Index("ix_recipients_message_bucket", "message_id", "bucket"),
)
"""One person of one message. ``bucket``, ``channels`` and ``waits`` (what of it is still to leave) are the roll-up of
their deliveries and answers, kept in the same transaction as the change that moves them."""

answers = Table(
    "answers",
    metadata,
    _key(),
    _to("recipient_id", "recipients", index=True),
    _to("version_id", "message_versions"),
    Column("option", Integer, nullable=False),
    Column("meaning", Word, nullable=False),
    Column("channel", Word, nullable=False),
    Column("at", Millis, nullable=False),
)
"""Answers belong to the person and the version. People can change them: the latest one counts."""

# ---------------------------------------------------------------- the queue, which is the ledger

deliveries = Table(
    "deliveries",
    metadata,
    _key(),
    _to("production_id", "productions"),
    _to("message_id", "messages"),
    _to("step_id", "steps"),
    _to("recipient_id", "recipients", index=True),
    _to("contact_point_id", "contact_points", index=True),
    Column("channel", Word, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("work", Word, nullable=False),
    Column("evidence", Word, nullable=False),
    Column("evidence_rank", Integer, nullable=False),
    Column("receipt_possible", Boolean, nullable=False),
    Column("text", LargeBinary),
    Column("attempt", Integer, nullable=False),
    _to("account_id", "accounts", nullable=True),
    _to("sender_id", "senders", nullable=True),
    _to("carried_by", "deliveries", nullable=True),
    Column("due_at", Millis, nullable=False),
    Column("give_up_at", Millis, nullable=False),
    Column("lease_until", Millis),
    Column("worker", String(32)),
    Column("why", Text, nullable=False, server_default=""),
    Column("next", Text, nullable=False, server_default=""),
    Column("error_code", String(64)),
    Column("segments", Integer),
    Column("accepted_at", Millis),
    Column("created_at", Millis, nullable=False),
    UniqueConstraint("step_id", "recipient_id", "channel", "contact_point_id"),
    CheckConstraint("work in (" + ",".join(f"'{work}'" for work in Work) + ")", name="work"),
    CheckConstraint("evidence in (" + ",".join(f"'{one}'" for one in Evidence) + ")", name="evidence"),
    Index(
        "ix_deliveries_due",
        "production_id",
        "channel",
        "priority",
        "due_at",
        "id",
        sqlite_where=text("work = 'queued' AND carried_by IS NULL"),
        postgresql_where=text("work = 'queued' AND carried_by IS NULL"),
    ),
    Index(
        "ix_deliveries_held",
        "due_at",
        sqlite_where=text("work = 'held'"),
        postgresql_where=text("work = 'held'"),
    ),
    Index(
        "ix_deliveries_leased",
        "lease_until",
        sqlite_where=text("lease_until IS NOT NULL"),
        postgresql_where=text("lease_until IS NOT NULL"),
    ),
    Index(
        "ix_deliveries_carried",
        "carried_by",
        sqlite_where=text("carried_by IS NOT NULL"),
        postgresql_where=text("carried_by IS NOT NULL"),
    ),
    Index("ix_deliveries_message_evidence", "message_id", "evidence"),
    Index("ix_deliveries_message_work", "message_id", "work"),
)
"""One step to one recipient at one contact point. Two columns that are never mixed: ``work``, where it is in
the queue, and ``evidence``, the best that is known. ``text`` is what is sent, encrypted, from the first time it
is rendered: a retry sends and a look-up asks for the same bytes, whatever has been changed since. ``accepted_at``
is when a provider first took it, whatever became of it. A delivery
``carried_by`` another (two people, one number) has no attempts of its own."""

attempts = Table(
    "attempts",
    metadata,
    _key(),
    _to("delivery_id", "deliveries"),
    Column("number", Integer, nullable=False),
    Column("reference", String(16), nullable=False, unique=True),
    _to("contact_point_id", "contact_points"),
    _to("account_id", "accounts"),
    _to("sender_id", "senders"),
    Column("provider_id", String(128)),
    Column("evidence", Word, nullable=False),
    Column("started_at", Millis, nullable=False),
    Column("finished_at", Millis),
    Column("error_code", String(64)),
    Column("error", Text),
    Column("next", Text),
    Column("conflict", Text),
    Column("segments", Integer),
    Column("cost_micros", BigInteger),
    Column("currency", String(3)),
    Column("look_at", Millis),
    Column("looks", Integer, nullable=False, server_default="0"),
    UniqueConstraint("delivery_id", "number"),
    Index("ix_attempts_provider", "account_id", "provider_id"),
    Index(
        "ix_attempts_look",
        "look_at",
        sqlite_where=text("look_at IS NOT NULL"),
        postgresql_where=text("look_at IS NOT NULL"),
    ),
)
"""One call to one provider, committed before the call is made, and the address it was for: a delivery that waits
follows its person to a corrected number. ``look_at`` is when an attempt whose fate is
unknown is looked up next."""

receipts = Table(
    "receipts",
    metadata,
    _key(),
    Column("account_id", Key, nullable=False),
    Column("dedupe_key", String(160), nullable=False),
    Column("fact", Word, nullable=False),
    Column("reference", String(16)),
    Column("provider_id", String(128)),
    Column("error_code", String(64)),
    Column("error", Text),
    Column("next", Text),
    Column("raw", LargeBinary, nullable=False),
    Column("received_at", Millis, nullable=False),
    Column("attempt_id", Key),
    Column("applied_at", Millis),
    UniqueConstraint("account_id", "dedupe_key"),
    Index(
        "ix_receipts_parked",
        "received_at",
        sqlite_where=text("applied_at IS NULL"),
        postgresql_where=text("applied_at IS NULL"),
    ),
)
"""Every genuine receipt once, with everything the provider said (encrypted). One that names no attempt we know
is parked: ``applied_at`` is empty. Facts from our own crew page have account 0."""

inbound = Table(
    "inbound",
    metadata,
    _key(),
    Column("account_id", Key, nullable=False),
    Column("dedupe_key", String(160), nullable=False),
    Column("channel", Word, nullable=False),
    _to("production_id", "productions", nullable=True),
    _to("message_id", "messages", nullable=True, index=True),
    _to("recipient_id", "recipients", nullable=True, index=True),
    Column("lookup", String(64), nullable=False, index=True),
    Column("text", LargeBinary, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("option", Integer),
    Column("flag", Text),
    Column("received_at", Millis, nullable=False),
    UniqueConstraint("account_id", "dedupe_key"),
)
"""What people sent to our numbers: about which message as far as that is known, and from whom unless two people
share the number. ``flag`` says what the coordinator should look at."""

# ---------------------------------------------------------------- what is watched and what is proven

counters = Table(
    "counters",
    metadata,
    _to("message_id", "messages"),
    Column("dimension", Word, nullable=False),
    Column("key", Text, nullable=False),
    Column("bucket", Word, nullable=False),
    Column("shard", Integer, nullable=False, server_default="0"),
    Column("people", Integer, nullable=False),
    UniqueConstraint("message_id", "dimension", "key", "bucket", "shard"),
)
"""How many recipients stand in each bucket: in all, by department, by channel. Always equal to a recount."""

events = Table(
    "events",
    metadata,
    _key(),
    _to("production_id", "productions", nullable=True),
    Column("message_id", Key, index=True),
    Column("recipient_id", Key),
    Column("kind", Word, nullable=False),
    Column("channel", Word),
    Column("detail", Text, nullable=False),
    Column("at", Millis, nullable=False),
    Index("ix_events_production_id", "production_id", "id"),
)
"""What happened, in order: the live feed reads it, and so do timers. Never an address or a name."""

incidents = Table(
    "incidents",
    metadata,
    _key(),
    Column("kind", Word, nullable=False),
    Column("subject", Text, nullable=False),
    Column("sentence", Text, nullable=False),
    Column("next", Text, nullable=False),
    Column("opened_at", Millis, nullable=False),
    Column("closed_at", Millis),
    Index(
        "ix_incidents_open",
        "kind",
        "subject",
        unique=True,
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
)
"""Trouble that needs an act: opened once, closed by itself when it is over."""

audit = Table(
    "audit",
    metadata,
    _key(),
    _to("production_id", "productions", nullable=True),
    Column("at", Millis, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
)
"""Append-only; each entry carries the hash of the one before. Holds ids, not names."""
