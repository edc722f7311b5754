"""The tables, in SQLAlchemy's words; `migrations/` creates them."""

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
"""SQLite counts only a column of the very type INTEGER up by itself."""


class Words(sa.types.TypeDecorator[str]):
    """Text that either database takes, whatever came in.

    PostgreSQL stores no NUL, and neither driver encodes half of a surrogate pair, which JSON can carry.
    Both would make one strange comment stop an alert.
    """

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else storable(value)


def storable(text: str) -> str:
    """The text without NUL characters, and with `?` for each half of a broken surrogate pair."""
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
    sa.Column("full_name", Words, nullable=False),
    # GitHub's names ignore case.
    sa.Column("folded_name", Words, nullable=False, index=True),
    sa.Column("owner_id", sa.BigInteger, nullable=False),
    sa.Column("owner_login", Words, nullable=False),
    sa.Column("owner_type", Words, nullable=False),
    sa.Column("visibility", Words, nullable=False),
    sa.Column("html_url", Words, nullable=False),
    sa.Column("installation_id", sa.BigInteger, index=True),
    sa.Column("state", Words, nullable=False),
    sa.Column("delegated_dismissal", sa.Boolean),
)

installation = sa.Table(
    "installation",
    METADATA,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("account_id", sa.BigInteger, nullable=False),
    sa.Column("account_login", Words, nullable=False),
    sa.Column("account_type", Words, nullable=False),
    sa.Column("state", Words, nullable=False),
)

alert = sa.Table(
    "alert",
    METADATA,
    sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("html_url", Words, nullable=False),
    sa.Column("secret_type", Words, nullable=False),
    sa.Column("secret_type_name", Words, nullable=False),
    sa.Column("provider", Words),
    sa.Column("category", Words, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("updated_at", sa.Double, nullable=False),
    sa.Column("state", Words, nullable=False),
    sa.Column("resolution", Words),
    sa.Column("resolution_comment", Words),
    sa.Column("resolved_by_id", sa.BigInteger),
    sa.Column("resolved_by_login", Words),
    sa.Column("resolved_at", sa.Double),
    sa.Column("validity", Words, nullable=False),
    _flag("publicly_leaked"),
    _flag("multi_repo"),
    _flag("base64_encoded"),
    _flag("bypassed"),
    sa.Column("bypassed_by", Words),
    sa.Column("bypassed_at", sa.Double),
    sa.Column("bypass_comment", Words),
    _json("place", nullable=True),
    _flag("has_more_places"),
    sa.Column("assigned_to_id", sa.BigInteger, index=True),
    sa.Column("assigned_to_login", Words),
    _json("token"),
    _flag("detailed"),
    sa.Column("first_seen_at", sa.Double, nullable=False),
    _json("probe", nullable=True),
    _json("report", nullable=True),
    sa.Column("taken_by_team", Words),
    sa.Column("taken_by_user", Words),
    sa.Column("taken_by_id", sa.BigInteger),
    sa.Column("taken_by_login", Words),
    sa.Column("taken_at", sa.Double),
    _json("acted_by", nullable=True),
    _flag("validity_written"),
    sa.Column("assigned_by_us_id", sa.BigInteger),
    sa.Column("assigned_by_us_login", Words),
    # Which job acts on the alert right now; only `alerts.claim` and `alerts.release` touch these.
    sa.Column("claim_action", Words),
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
    sa.Column("kind", Words, nullable=False),
    sa.Column("at", sa.Double, nullable=False),
    _json("by", nullable=True),
    _json("details"),
    sa.Column("once", Words),
    sa.ForeignKeyConstraint(["repository_id", "alert_number"], ["alert.repository_id", "alert.number"]),
    sa.UniqueConstraint("repository_id", "alert_number", "once"),
    sqlite_autoincrement=True,
)
sa.Index("event_alert", event.c.repository_id, event.c.alert_number, event.c.id)

message = sa.Table(
    "message",
    METADATA,
    sa.Column("key", Words, primary_key=True),
    sa.Column("purpose", Words, nullable=False),
    sa.Column("channel", Words, nullable=False),
    sa.Column("subject", Words, nullable=False),
    sa.Column("repository_id", sa.BigInteger),
    sa.Column("alert_number", sa.BigInteger),
    sa.Column("state", Words, nullable=False, index=True),
    sa.Column("ts", Words),
    sa.Column("draw", sa.Integer, nullable=False),
    sa.Column("fingerprint", Words),
    sa.Column("slot_at", sa.Double),
    sa.Column("posting_since", sa.Double),
    sa.Column("problem", Words),
    sa.Column("folded_into", Words, index=True),
    sa.Column("urgency", Words),
    sa.Column("raised_at", sa.Double),
    sa.Column("stands_for", Words),
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
    sa.Column("channel", Words, primary_key=True),
    sa.Column("next_at", sa.Double, nullable=False),
)

delivery = sa.Table(
    "delivery",
    METADATA,
    sa.Column("guid", Words, primary_key=True),
    sa.Column("event", Words, nullable=False),
    sa.Column("action", Words),
    _json("body"),
    sa.Column("received_at", sa.Double, nullable=False, index=True),
    sa.Column("outcome", Words),
)

slack_request = sa.Table(
    "slack_request",
    METADATA,
    sa.Column("fingerprint", Words, primary_key=True),
    sa.Column("seen_at", sa.Double, nullable=False, index=True),
)

job = sa.Table(
    "job",
    METADATA,
    sa.Column("id", ID, primary_key=True),
    sa.Column("kind", Words, nullable=False),
    sa.Column("payload", sa.JSON, nullable=False),
    sa.Column("key", Words),
    sa.Column("dedup", Words, unique=True),
    sa.Column("state", Words, nullable=False),
    # Of `priorities.Priority`; the default is for rows of 0.1.0.
    sa.Column("priority", sa.Integer, nullable=False, server_default="2"),
    sa.Column("run_at", sa.Double, nullable=False),
    # A job that waits for its next try keeps later ones of its key waiting, unless it was told not to.
    _flag("holds"),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("worker", Words),
    sa.Column("lease_until", sa.Double),
    sa.Column("error", Words),
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
    sa.Column("slack_team", Words, primary_key=True),
    sa.Column("slack_user", Words, primary_key=True),
    sa.Column("github_id", sa.BigInteger, nullable=False),
    sa.Column("github_login", Words, nullable=False),
    sa.Column("proof", Words, nullable=False),
    sa.Column("linked_at", sa.Double, nullable=False),
    sa.Column("linked_by", Words, nullable=False),
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
    sa.Column("channel", Words, primary_key=True),
    sa.Column("filter", Words, nullable=False),
    sa.Column("thread", Words, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
)

audit = sa.Table(
    "audit",
    METADATA,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("slack_team", Words),
    sa.Column("slack_user", Words),
    sa.Column("github_login", Words),
    sa.Column("github_id", sa.BigInteger),
    sa.Column("action", Words, nullable=False),
    sa.Column("repository_id", sa.BigInteger),
    sa.Column("repository", Words),
    sa.Column("alert_number", sa.BigInteger),
    sa.Column("outcome", Words, nullable=False),
    sa.Column("reason", Words),
    sa.Column("previous", Words, nullable=False),
    sa.Column("hash", Words, nullable=False),
)

mark = sa.Table(
    "mark",
    METADATA,
    sa.Column("key", Words, primary_key=True),
    _json("value", nullable=True),
)
