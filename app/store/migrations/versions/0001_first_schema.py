"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(length=26), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("base_url", sa.Text(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("secrets", sa.LargeBinary(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("name", name=op.f("uq_accounts_name")),
        sa.UniqueConstraint("public_id", name=op.f("uq_accounts_public_id")),
    )
    op.create_table(
        "home",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_home")),
    )
    op.create_table(
        "incidents",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("next", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
    )
    op.create_index(
        "ix_incidents_open",
        "incidents",
        ["kind", "subject"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "productions",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(length=26), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("region", sa.String(length=2), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("message_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_productions")),
        sa.UniqueConstraint("name", name=op.f("uq_productions_name")),
        sa.UniqueConstraint("public_id", name=op.f("uq_productions_public_id")),
    )
    op.create_table(
        "receipts",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("account_id", Key, nullable=False),
        sa.Column("dedupe_key", sa.String(length=160), nullable=False),
        sa.Column("fact", sa.String(length=32), nullable=False),
        sa.Column("reference", sa.String(length=16), nullable=True),
        sa.Column("provider_id", sa.String(length=128), nullable=True),
        sa.Column("error_code", sa.String(length=64), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("next", sa.Text(), nullable=True),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("attempt_id", Key, nullable=True),
        sa.Column("applied_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipts")),
        sa.UniqueConstraint("account_id", "dedupe_key", name=op.f("uq_receipts_account_id_dedupe_key")),
    )
    op.create_index(
        "ix_receipts_parked",
        "receipts",
        ["received_at"],
        unique=False,
        sqlite_where=sa.text("applied_at IS NULL"),
        postgresql_where=sa.text("applied_at IS NULL"),
    )
    op.create_table(
        "users",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(length=26), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("name", name=op.f("uq_users_name")),
        sa.UniqueConstraint("public_id", name=op.f("uq_users_public_id")),
    )
    op.create_table(
        "audit",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("production_id", Key, nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["production_id"], ["productions.id"], name=op.f("fk_audit_production_id_productions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_hash")),
    )
    op.create_table(
        "events",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("production_id", Key, nullable=True),
        sa.Column("message_id", Key, nullable=True),
        sa.Column("recipient_id", Key, nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["production_id"], ["productions.id"], name=op.f("fk_events_production_id_productions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index(op.f("ix_events_message_id"), "events", ["message_id"], unique=False)
    op.create_index("ix_events_production_id", "events", ["production_id", "id"], unique=False)
    op.create_table(
        "messages",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(length=26), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("production_id", Key, nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("priority", sa.String(length=32), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("channels", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("asks", sa.Boolean(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("dirty", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["production_id"], ["productions.id"], name=op.f("fk_messages_production_id_productions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("production_id", "code", name=op.f("uq_messages_production_id_code")),
        sa.UniqueConstraint("public_id", name=op.f("uq_messages_public_id")),
    )
    op.create_index(
        "ix_messages_production_created", "messages", ["production_id", "created_at"], unique=False
    )
    op.create_table(
        "people",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(length=26), nullable=False),
        sa.Column("production_id", Key, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("department_head", sa.Boolean(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("call_offset_min", sa.Integer(), nullable=False),
        sa.Column("start_date", sa.String(length=10), nullable=True),
        sa.Column("finish_date", sa.String(length=10), nullable=True),
        sa.Column("day_status", sa.String(length=32), nullable=False),
        sa.Column("quiet_start", sa.Integer(), nullable=True),
        sa.Column("quiet_end", sa.Integer(), nullable=True),
        sa.Column("emergency", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("removed_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["production_id"], ["productions.id"], name=op.f("fk_people_production_id_productions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("public_id", name=op.f("uq_people_public_id")),
    )
    op.create_index(
        "ix_people_production_department", "people", ["production_id", "department"], unique=False
    )
    op.create_table(
        "senders",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("account_id", Key, nullable=False),
        sa.Column("production_id", Key, nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("segments_per_second", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("urgent_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_senders_account_id_accounts")),
        sa.ForeignKeyConstraint(
            ["production_id"], ["productions.id"], name=op.f("fk_senders_production_id_productions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_senders")),
        sa.UniqueConstraint("account_id", "address", name=op.f("uq_senders_account_id_address")),
    )
    op.create_index(op.f("ix_senders_account_id"), "senders", ["account_id"], unique=False)
    op.create_table(
        "suppressions",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("lookup", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("production_id", Key, nullable=True),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("lifted_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["production_id"], ["productions.id"], name=op.f("fk_suppressions_production_id_productions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppressions")),
    )
    op.create_index(op.f("ix_suppressions_lookup"), "suppressions", ["lookup"], unique=False)
    op.create_table(
        "contact_points",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("production_id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("cipher", sa.LargeBinary(), nullable=False),
        sa.Column("lookup", sa.String(length=64), nullable=False),
        sa.Column("tail", sa.String(length=32), nullable=False),
        sa.Column("line_type", sa.String(length=32), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("first_text_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_contact_points_person_id_people")
        ),
        sa.ForeignKeyConstraint(
            ["production_id"], ["productions.id"], name=op.f("fk_contact_points_production_id_productions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_points")),
        sa.UniqueConstraint(
            "person_id", "kind", "lookup", name=op.f("uq_contact_points_person_id_kind_lookup")
        ),
    )
    op.create_index(op.f("ix_contact_points_lookup"), "contact_points", ["lookup"], unique=False)
    op.create_table(
        "counters",
        sa.Column("message_id", Key, nullable=False),
        sa.Column("dimension", sa.String(length=32), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("bucket", sa.String(length=32), nullable=False),
        sa.Column("shard", sa.Integer(), server_default="0", nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_counters_message_id_messages")
        ),
        sa.UniqueConstraint(
            "message_id",
            "dimension",
            "key",
            "bucket",
            "shard",
            name=op.f("uq_counters_message_id_dimension_key_bucket_shard"),
        ),
    )
    op.create_table(
        "message_versions",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("message_id", Key, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_message_versions_message_id_messages")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_versions")),
        sa.UniqueConstraint("message_id", "number", name=op.f("uq_message_versions_message_id_number")),
    )
    op.create_table(
        "recipients",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("production_id", Key, nullable=False),
        sa.Column("message_id", Key, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("bucket", sa.String(length=32), nullable=False),
        sa.Column("channels", sa.Text(), server_default="{}", nullable=False),
        sa.Column("answer", sa.String(length=32), nullable=True),
        sa.Column("read_at", sa.BigInteger(), nullable=True),
        sa.Column("suppression", sa.String(length=32), nullable=True),
        sa.Column("waits", sa.String(length=32), nullable=True),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.Column("next", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_recipients_message_id_messages")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_recipients_person_id_people")),
        sa.ForeignKeyConstraint(
            ["production_id"], ["productions.id"], name=op.f("fk_recipients_production_id_productions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recipients")),
        sa.UniqueConstraint("message_id", "person_id", name=op.f("uq_recipients_message_id_person_id")),
    )
    op.create_index("ix_recipients_message_bucket", "recipients", ["message_id", "bucket"], unique=False)
    op.create_index(op.f("ix_recipients_person_id"), "recipients", ["person_id"], unique=False)
    op.create_table(
        "answers",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("recipient_id", Key, nullable=False),
        sa.Column("version_id", Key, nullable=False),
        sa.Column("option", sa.Integer(), nullable=False),
        sa.Column("meaning", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["recipient_id"], ["recipients.id"], name=op.f("fk_answers_recipient_id_recipients")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["message_versions.id"], name=op.f("fk_answers_version_id_message_versions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answers")),
    )
    op.create_index(op.f("ix_answers_recipient_id"), "answers", ["recipient_id"], unique=False)
    op.create_table(
        "consents",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("production_id", Key, nullable=False),
        sa.Column("contact_point_id", Key, nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("wording", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_point_id"],
            ["contact_points.id"],
            name=op.f("fk_consents_contact_point_id_contact_points"),
        ),
        sa.ForeignKeyConstraint(
            ["production_id"], ["productions.id"], name=op.f("fk_consents_production_id_productions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    op.create_index(op.f("ix_consents_contact_point_id"), "consents", ["contact_point_id"], unique=False)
    op.create_table(
        "inbound",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("account_id", Key, nullable=False),
        sa.Column("dedupe_key", sa.String(length=160), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("production_id", Key, nullable=True),
        sa.Column("message_id", Key, nullable=True),
        sa.Column("recipient_id", Key, nullable=True),
        sa.Column("lookup", sa.String(length=64), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("option", sa.Integer(), nullable=True),
        sa.Column("flag", sa.Text(), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_inbound_message_id_messages")),
        sa.ForeignKeyConstraint(
            ["production_id"], ["productions.id"], name=op.f("fk_inbound_production_id_productions")
        ),
        sa.ForeignKeyConstraint(
            ["recipient_id"], ["recipients.id"], name=op.f("fk_inbound_recipient_id_recipients")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound")),
        sa.UniqueConstraint("account_id", "dedupe_key", name=op.f("uq_inbound_account_id_dedupe_key")),
    )
    op.create_index(op.f("ix_inbound_lookup"), "inbound", ["lookup"], unique=False)
    op.create_index(op.f("ix_inbound_message_id"), "inbound", ["message_id"], unique=False)
    op.create_index(op.f("ix_inbound_recipient_id"), "inbound", ["recipient_id"], unique=False)
    op.create_table(
        "steps",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(length=26), nullable=False),
        sa.Column("message_id", Key, nullable=False),
        sa.Column("version_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("channels", sa.Text(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("unreachable", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("undone_at", sa.BigInteger(), nullable=True),
        sa.Column("frozen_at", sa.BigInteger(), nullable=True),
        sa.Column("freeze_cursor", Key, server_default="0", nullable=False),
        sa.Column("routed_at", sa.BigInteger(), nullable=True),
        sa.Column("route_cursor", Key, server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_steps_message_id_messages")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["message_versions.id"], name=op.f("fk_steps_version_id_message_versions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_steps")),
        sa.UniqueConstraint("public_id", name=op.f("uq_steps_public_id")),
    )
    op.create_index(op.f("ix_steps_message_id"), "steps", ["message_id"], unique=False)
    op.create_index(
        "ix_steps_unrouted",
        "steps",
        ["not_before"],
        unique=False,
        sqlite_where=sa.text("routed_at IS NULL AND undone_at IS NULL"),
        postgresql_where=sa.text("routed_at IS NULL AND undone_at IS NULL"),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("production_id", Key, nullable=False),
        sa.Column("message_id", Key, nullable=False),
        sa.Column("step_id", Key, nullable=False),
        sa.Column("recipient_id", Key, nullable=False),
        sa.Column("contact_point_id", Key, nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("work", sa.String(length=32), nullable=False),
        sa.Column("evidence", sa.String(length=32), nullable=False),
        sa.Column("evidence_rank", sa.Integer(), nullable=False),
        sa.Column("receipt_possible", sa.Boolean(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("account_id", Key, nullable=True),
        sa.Column("sender_id", Key, nullable=True),
        sa.Column("carried_by", Key, nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("give_up_at", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("worker", sa.String(length=32), nullable=True),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.Column("next", sa.Text(), server_default="", nullable=False),
        sa.Column("error_code", sa.String(length=64), nullable=True),
        sa.Column("segments", sa.Integer(), nullable=True),
        sa.Column("accepted_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "evidence in ('none','unknown','sent','failed','bounced','opted_out','delivered','bounced_after_acceptance','opened','read')",
            name=op.f("ck_deliveries_evidence"),
        ),
        sa.CheckConstraint(
            "work in ('held','queued','claimed','sending','done','cancelled','expired')",
            name=op.f("ck_deliveries_work"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_deliveries_account_id_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["carried_by"], ["deliveries.id"], name=op.f("fk_deliveries_carried_by_deliveries")
        ),
        sa.ForeignKeyConstraint(
            ["contact_point_id"],
            ["contact_points.id"],
            name=op.f("fk_deliveries_contact_point_id_contact_points"),
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_deliveries_message_id_messages")
        ),
        sa.ForeignKeyConstraint(
            ["production_id"], ["productions.id"], name=op.f("fk_deliveries_production_id_productions")
        ),
        sa.ForeignKeyConstraint(
            ["recipient_id"], ["recipients.id"], name=op.f("fk_deliveries_recipient_id_recipients")
        ),
        sa.ForeignKeyConstraint(["sender_id"], ["senders.id"], name=op.f("fk_deliveries_sender_id_senders")),
        sa.ForeignKeyConstraint(["step_id"], ["steps.id"], name=op.f("fk_deliveries_step_id_steps")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint(
            "step_id",
            "recipient_id",
            "channel",
            "contact_point_id",
            name=op.f("uq_deliveries_step_id_recipient_id_channel_contact_point_id"),
        ),
    )
    op.create_index(
        "ix_deliveries_carried",
        "deliveries",
        ["carried_by"],
        unique=False,
        sqlite_where=sa.text("carried_by IS NOT NULL"),
        postgresql_where=sa.text("carried_by IS NOT NULL"),
    )
    op.create_index(op.f("ix_deliveries_contact_point_id"), "deliveries", ["contact_point_id"], unique=False)
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        ["production_id", "channel", "priority", "due_at", "id"],
        unique=False,
        sqlite_where=sa.text("work = 'queued' AND carried_by IS NULL"),
        postgresql_where=sa.text("work = 'queued' AND carried_by IS NULL"),
    )
    op.create_index(
        "ix_deliveries_held",
        "deliveries",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("work = 'held'"),
        postgresql_where=sa.text("work = 'held'"),
    )
    op.create_index(
        "ix_deliveries_leased",
        "deliveries",
        ["lease_until"],
        unique=False,
        sqlite_where=sa.text("lease_until IS NOT NULL"),
        postgresql_where=sa.text("lease_until IS NOT NULL"),
    )
    op.create_index("ix_deliveries_message_evidence", "deliveries", ["message_id", "evidence"], unique=False)
    op.create_index("ix_deliveries_message_work", "deliveries", ["message_id", "work"], unique=False)
    op.create_index(op.f("ix_deliveries_recipient_id"), "deliveries", ["recipient_id"], unique=False)
    op.create_table(
        "step_people",
        sa.Column("step_id", Key, nullable=False),
        sa.Column("recipient_id", Key, nullable=False),
        sa.ForeignKeyConstraint(
            ["recipient_id"], ["recipients.id"], name=op.f("fk_step_people_recipient_id_recipients")
        ),
        sa.ForeignKeyConstraint(["step_id"], ["steps.id"], name=op.f("fk_step_people_step_id_steps")),
        sa.UniqueConstraint("step_id", "recipient_id", name=op.f("uq_step_people_step_id_recipient_id")),
    )
    op.create_table(
        "attempts",
        sa.Column("id", Key, autoincrement=True, nullable=False),
        sa.Column("delivery_id", Key, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=16), nullable=False),
        sa.Column("contact_point_id", Key, nullable=False),
        sa.Column("account_id", Key, nullable=False),
        sa.Column("sender_id", Key, nullable=False),
        sa.Column("provider_id", sa.String(length=128), nullable=True),
        sa.Column("evidence", sa.String(length=32), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("error_code", sa.String(length=64), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("next", sa.Text(), nullable=True),
        sa.Column("conflict", sa.Text(), nullable=True),
        sa.Column("segments", sa.Integer(), nullable=True),
        sa.Column("cost_micros", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("look_at", sa.BigInteger(), nullable=True),
        sa.Column("looks", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_point_id"],
            ["contact_points.id"],
            name=op.f("fk_attempts_contact_point_id_contact_points"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_attempts_account_id_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["deliveries.id"], name=op.f("fk_attempts_delivery_id_deliveries")
        ),
        sa.ForeignKeyConstraint(["sender_id"], ["senders.id"], name=op.f("fk_attempts_sender_id_senders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
        sa.UniqueConstraint("delivery_id", "number", name=op.f("uq_attempts_delivery_id_number")),
        sa.UniqueConstraint("reference", name=op.f("uq_attempts_reference")),
    )
    op.create_index(
        "ix_attempts_look",
        "attempts",
        ["look_at"],
        unique=False,
        sqlite_where=sa.text("look_at IS NOT NULL"),
        postgresql_where=sa.text("look_at IS NOT NULL"),
    )
    op.create_index("ix_attempts_provider", "attempts", ["account_id", "provider_id"], unique=False)
    op.create_table(
        "links",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("delivery_id", Key, nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["deliveries.id"], name=op.f("fk_links_delivery_id_deliveries")
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_links")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_links_delivery_id"), "links", ["delivery_id"], unique=False)
