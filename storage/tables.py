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


_JSON = sa.JSON(none_as_null=True)


def _required(kind: Any, *names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=False) for name in names]


def _optional(kind: Any, *names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind) for name in names]


def _partial(name: str, *columns: sa.Column[Any], where: sa.ColumnElement[bool], **options: Any) -> None:
    sa.Index(name, *columns, sqlite_where=where, postgresql_where=where, **options)


repository = sa.Table(
    "repository",
    METADATA,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    *_required(StorableText, "full_name", "owner_login", "owner_type", "visibility", "html_url", "state"),
    sa.Column("owner_id", sa.BigInteger, nullable=False),
    sa.Column("delegated_dismissal", sa.Boolean),
    # GitHub compares names without regard to case.
    sa.Column("folded_name", StorableText, nullable=False, index=True),
    sa.Column("installation_id", sa.BigInteger, index=True),
)

installation = sa.Table(
    "installation",
    METADATA,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("account_id", sa.BigInteger, nullable=False),
    *_required(StorableText, "account_login", "account_type", "state"),
)

alert = sa.Table(
    "alert",
    METADATA,
    sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    *_required(StorableText, "html_url", "secret_type", "secret_type_name", "category", "state", "validity"),
    *_required(sa.Double, "created_at", "updated_at", "first_seen_at"),
    *_required(sa.Boolean, "publicly_leaked", "multi_repo", "base64_encoded", "detailed", "validity_written"),
    *_optional(StorableText, "provider", "resolution", "resolution_comment"),
    sa.Column("resolved_by_id", sa.BigInteger),
    sa.Column("resolved_by_login", StorableText),
    sa.Column("bypassed", sa.Boolean, nullable=False),
    *_optional(StorableText, "bypassed_by", "bypass_comment"),
    *_optional(sa.Double, "resolved_at", "bypassed_at", "taken_at"),
    sa.Column("has_more_places", sa.Boolean, nullable=False),
    *_optional(_JSON, "place", "commit_author", "probe", "report", "acted_by", "last_hand_over"),
    sa.Column("token", _JSON, nullable=False),
    sa.Column("assigned_to_id", sa.BigInteger, index=True),
    *_optional(sa.BigInteger, "assigned_by_us_id", "taken_by_id"),
    *_optional(StorableText, "assigned_to_login", "assigned_by_us_login", "taken_by_login"),
    *_optional(StorableText, "taken_by_team", "taken_by_user"),
    # The job that has claimed the alert; only functions of `alerts` use these.
    sa.Column("claim_action", StorableText),
    sa.Column("claim_job", sa.BigInteger),
    sa.Column("claim_at", sa.Double),
    sa.Column("claim_tries", sa.Integer, nullable=False, server_default="0"),
)
sa.Index("alert_state", alert.c.state, alert.c.created_at)
_IS_HELD = sa.or_(alert.c.taken_by_id.is_not(None), alert.c.assigned_by_us_id.is_not(None))
_partial("alert_held", alert.c.repository_id, where=_IS_HELD)

event = sa.Table(
    "event",
    METADATA,
    sa.Column("id", ID, primary_key=True),
    *_required(sa.BigInteger, "repository_id", "alert_number"),
    sa.Column("kind", StorableText, nullable=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("by", _JSON),
    sa.Column("details", _JSON, nullable=False),
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
    *_required(StorableText, "purpose", "channel", "subject"),
    *_optional(sa.BigInteger, "repository_id", "alert_number"),
    *_optional(StorableText, "ts", "fingerprint", "problem", "urgency", "stands_for"),
    sa.Column("draw", sa.Integer, nullable=False),
    *_optional(sa.Double, "slot_at", "posting_since", "raised_at"),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("state", StorableText, nullable=False, index=True),
    sa.Column("folded_into", StorableText, index=True),
    sa.Column("facts", _JSON),
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
    *_optional(StorableText, "action", "outcome"),
    sa.Column("body", _JSON, nullable=False),
    sa.Column("received_at", sa.Double, nullable=False, index=True),
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
    *_required(StorableText, "kind", "state"),
    *_optional(StorableText, "key", "worker", "error"),
    *_required(sa.Double, "run_at", "created_at"),
    sa.Column("attempts", sa.Integer, nullable=False),
    *_optional(sa.Double, "lease_until", "finished_at"),
    sa.Column("payload", sa.JSON, nullable=False),
    sa.Column("dedup", StorableText, unique=True),
    # A `priorities.Priority`; the default is for rows of 0.1.0.
    sa.Column("priority", sa.Integer, nullable=False, server_default="2"),
    # Whether later jobs with its key wait while this one waits for its next try.
    sa.Column("holds", sa.Boolean, nullable=False),
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
    *_required(StorableText, "github_login", "proof", "linked_by"),
    sa.Column("slack_name", StorableText),
    sa.Column("linked_at", sa.Double, nullable=False),
    sa.UniqueConstraint("slack_team", "github_id"),
)

role = sa.Table(
    "role",
    METADATA,
    sa.Column("github_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("facts", _JSON, nullable=False),
    sa.Column("fetched_at", sa.Double, nullable=False),
    sa.Column("owner_id", sa.BigInteger, nullable=False, index=True),
)
sa.Index("role_repository", role.c.repository_id)

subscription = sa.Table(
    "subscription",
    METADATA,
    sa.Column("channel", StorableText, primary_key=True),
    *_required(StorableText, "filter", "thread"),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("mention", StorableText),
    *_optional(_JSON, "pinned", "author", "audience"),
    *_optional(sa.Double, "changed_at", "lost_at", "paused_at"),
)

audit = sa.Table(
    "audit",
    METADATA,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Double, nullable=False),
    *_optional(StorableText, "slack_team", "slack_user", "github_login", "repository", "reason"),
    *_optional(sa.BigInteger, "github_id", "repository_id", "alert_number"),
    *_required(StorableText, "action", "outcome", "previous", "hash"),
)

_partial("audit_intended", audit.c.github_id, audit.c.action, audit.c.at, where=audit.c.outcome == "intended")

saved_value = sa.Table(
    "mark",
    METADATA,
    sa.Column("key", StorableText, primary_key=True),
    sa.Column("value", _JSON),
)
