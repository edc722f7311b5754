"""The tables for SQLAlchemy; `migrations/` creates them."""

from typing import Any

import sqlalchemy as sa

METADATA = sa.MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_ix",
        "pk": "%(table_name)s_pk",
        "fk": "%(table_name)s_%(referred_table_name)s_fk",
        "uq": "%(table_name)s_%(column_0_N_name)s_uq",
    }
)

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""SQLite numbers rows by itself only in a primary key of the type INTEGER."""


class StorableText(sa.types.TypeDecorator[str]):
    """Text, made storable before it is sent to the database.

    PostgreSQL does not store a NUL, and neither driver encodes half of a surrogate pair, which JSON can hold. Without
    this, an alert with such a comment could not be stored.
    """

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else storable(value)


def storable(text: str) -> str:
    """The text without NULs, and with `?` for each unpaired surrogate."""
    if text.isascii():
        return text.replace("\0", "")
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _json(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON(none_as_null=True), nullable=nullable)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False)


def _partial(
    name: str, *columns: sa.Column[Any], where: sa.ColumnElement[bool], unique: bool = False
) -> None:
    sa.Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


repository = sa.Table(
    "repository",
    METADATA,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("full_name", StorableText, nullable=False),
    # GitHub compares names without regard to case.
    sa.Column("folded_name", StorableText, nullable=False, index=True),
    sa.Column("owner_id", sa.BigInteger, nullable=False),
    sa.Column("owner_login", StorableText, nullable=False),
    sa.Column("owner_type", StorableText, nullable=False),
    sa.Column("visibility", StorableText, nullable=False),
    sa.Column("html_url", StorableText, nullable=False),
    sa.Column("installation_id", sa.BigInteger, index=True),
    sa.Column("state", StorableText, nullable=False),
    sa.Column("delegated_dismissal", sa.Boolean),
)

installation = sa.Table(
    "installation",
    METADATA,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("account_id", sa.BigInteger, nullable=False),
    sa.Column("account_login", StorableText, nullable=False),
    sa.Column("account_type", StorableText, nullable=False),
    sa.Column("state", StorableText, nullable=False),
)

alert = sa.Table(
    "alert",
    METADATA,
    sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("html_url", StorableText, nullable=False),
    sa.Column("secret_type", StorableText, nullable=False),
    sa.Column("secret_type_name", StorableText, nullable=False),
    sa.Column("provider", StorableText),
    sa.Column("category", StorableText, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("updated_at", sa.Double, nullable=False),
    sa.Column("state", StorableText, nullable=False),
    sa.Column("resolution", StorableText),
    sa.Column("resolution_comment", StorableText),
    sa.Column("resolved_by_id", sa.BigInteger),
    sa.Column("resolved_by_login", StorableText),
    sa.Column("resolved_at", sa.Double),
    sa.Column("validity", StorableText, nullable=False),
    _flag("publicly_leaked"),
    _flag("multi_repo"),
    _flag("base64_encoded"),
    _flag("bypassed"),
    sa.Column("bypassed_by", StorableText),
    sa.Column("bypassed_at", sa.Double),
    sa.Column("bypass_comment", StorableText),
    _json("place", nullable=True),
    _flag("has_more_places"),
    sa.Column("assigned_to_id", sa.BigInteger, index=True),
    sa.Column("assigned_to_login", StorableText),
    _json("token"),
    _flag("detailed"),
    sa.Column("first_seen_at", sa.Double, nullable=False),
    _json("probe", nullable=True),
    _json("report", nullable=True),
    sa.Column("taken_by_team", StorableText),
    sa.Column("taken_by_user", StorableText),
    sa.Column("taken_by_id", sa.BigInteger),
    sa.Column("taken_by_login", StorableText),
    sa.Column("taken_at", sa.Double),
    _json("acted_by", nullable=True),
    _flag("validity_written"),
    sa.Column("assigned_by_us_id", sa.BigInteger),
    sa.Column("assigned_by_us_login", StorableText),
    # The job that has claimed the alert; only functions of `alerts` use these.
    sa.Column("claim_action", StorableText),
    sa.Column("claim_job", sa.BigInteger),
    sa.Column("claim_at", sa.Double),
    sa.Column("claim_tries", sa.Integer, nullable=False, server_default="0"),
)
sa.Index("alert_state", alert.c.state, alert.c.created_at)
_partial(
    "alert_held",
    alert.c.repository_id,
    where=sa.or_(alert.c.taken_by_id.is_not(None), alert.c.assigned_by_us_id.is_not(None)),
)

event = sa.Table(
    "event",
    METADATA,
    sa.Column("id", ID, primary_key=True),
    sa.Column("repository_id", sa.BigInteger, nullable=False),
    sa.Column("alert_number", sa.BigInteger, nullable=False),
    sa.Column("kind", StorableText, nullable=False),
    sa.Column("at", sa.Double, nullable=False),
    _json("by", nullable=True),
    _json("details"),
    sa.Column("once", StorableText),
    sa.ForeignKeyConstraint(["repository_id", "alert_number"], ["alert.repository_id", "alert.number"]),
    sa.UniqueConstraint("repository_id", "alert_number", "once"),
    sqlite_autoincrement=True,
)
sa.Index("event_alert", event.c.repository_id, event.c.alert_number, event.c.id)

message = sa.Table(
    "message",
    METADATA,
    sa.Column("key", StorableText, primary_key=True),
    sa.Column("purpose", StorableText, nullable=False),
    sa.Column("channel", StorableText, nullable=False),
    sa.Column("subject", StorableText, nullable=False),
    sa.Column("repository_id", sa.BigInteger),
    sa.Column("alert_number", sa.BigInteger),
    sa.Column("state", StorableText, nullable=False, index=True),
    sa.Column("ts", StorableText),
    sa.Column("draw", sa.Integer, nullable=False),
    sa.Column("fingerprint", StorableText),
    sa.Column("slot_at", sa.Double),
    sa.Column("posting_since", sa.Double),
    sa.Column("problem", StorableText),
    sa.Column("folded_into", StorableText, index=True),
    sa.Column("urgency", StorableText),
    sa.Column("raised_at", sa.Double),
    sa.Column("stands_for", StorableText),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.ForeignKeyConstraint(["repository_id", "alert_number"], ["alert.repository_id", "alert.number"]),
    sa.UniqueConstraint("purpose", "channel", "subject"),
)
sa.Index("message_place", message.c.channel, message.c.ts)
sa.Index("message_recent", message.c.channel, message.c.created_at)
sa.Index("message_alert", message.c.repository_id, message.c.alert_number)
_partial("message_problem", message.c.channel, message.c.created_at, where=message.c.problem.is_not(None))

channel_pace = sa.Table(
    "channel_pace",
    METADATA,
    sa.Column("channel", StorableText, primary_key=True),
    sa.Column("next_at", sa.Double, nullable=False),
)

delivery = sa.Table(
    "delivery",
    METADATA,
    sa.Column("guid", StorableText, primary_key=True),
    sa.Column("event", StorableText, nullable=False),
    sa.Column("action", StorableText),
    _json("body"),
    sa.Column("received_at", sa.Double, nullable=False, index=True),
    sa.Column("outcome", StorableText),
)

slack_request = sa.Table(
    "slack_request",
    METADATA,
    sa.Column("fingerprint", StorableText, primary_key=True),
    sa.Column("seen_at", sa.Double, nullable=False, index=True),
)

job = sa.Table(
    "job",
    METADATA,
    sa.Column("id", ID, primary_key=True),
    sa.Column("kind", StorableText, nullable=False),
    sa.Column("payload", sa.JSON, nullable=False),
    sa.Column("key", StorableText),
    sa.Column("dedup", StorableText, unique=True),
    sa.Column("state", StorableText, nullable=False),
    # A `priorities.Priority`; the default is for rows of 0.1.0.
    sa.Column("priority", sa.Integer, nullable=False, server_default="2"),
    sa.Column("run_at", sa.Double, nullable=False),
    # Whether later jobs with its key wait while this one waits for its next try.
    _flag("holds"),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("worker", StorableText),
    sa.Column("lease_until", sa.Double),
    sa.Column("error", StorableText),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("finished_at", sa.Double),
    sqlite_autoincrement=True,
)
_IS_READY = job.c.state == "ready"
_IS_RUNNING = job.c.state == "running"
_partial("job_due", job.c.run_at, job.c.id, where=_IS_READY)
_partial("job_next", job.c.priority, job.c.run_at, job.c.id, where=_IS_READY)
_partial("job_lease", job.c.lease_until, where=_IS_RUNNING)
_partial("job_key_waiting", job.c.key, job.c.id, where=_IS_READY)
_partial("job_key_running", job.c.key, where=_IS_RUNNING, unique=True)
_partial("job_parked", job.c.id, where=job.c.state == "parked")
_partial("job_finished", job.c.finished_at, where=job.c.state == "done")

identity = sa.Table(
    "identity",
    METADATA,
    sa.Column("slack_team", StorableText, primary_key=True),
    sa.Column("slack_user", StorableText, primary_key=True),
    sa.Column("github_id", sa.BigInteger, nullable=False),
    sa.Column("github_login", StorableText, nullable=False),
    sa.Column("proof", StorableText, nullable=False),
    sa.Column("linked_at", sa.Double, nullable=False),
    sa.Column("linked_by", StorableText, nullable=False),
    sa.UniqueConstraint("slack_team", "github_id"),
)

role = sa.Table(
    "role",
    METADATA,
    sa.Column("github_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("owner_id", sa.BigInteger, nullable=False, index=True),
    _json("facts"),
    sa.Column("fetched_at", sa.Double, nullable=False),
)
sa.Index("role_repository", role.c.repository_id)

subscription = sa.Table(
    "subscription",
    METADATA,
    sa.Column("channel", StorableText, primary_key=True),
    sa.Column("filter", StorableText, nullable=False),
    sa.Column("thread", StorableText, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
)

audit = sa.Table(
    "audit",
    METADATA,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("slack_team", StorableText),
    sa.Column("slack_user", StorableText),
    sa.Column("github_login", StorableText),
    sa.Column("github_id", sa.BigInteger),
    sa.Column("action", StorableText, nullable=False),
    sa.Column("repository_id", sa.BigInteger),
    sa.Column("repository", StorableText),
    sa.Column("alert_number", sa.BigInteger),
    sa.Column("outcome", StorableText, nullable=False),
    sa.Column("reason", StorableText),
    sa.Column("previous", StorableText, nullable=False),
    sa.Column("hash", StorableText, nullable=False),
)

saved_value = sa.Table(
    "mark",
    METADATA,
    sa.Column("key", StorableText, primary_key=True),
    _json("value", nullable=True),
)
