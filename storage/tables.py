"""The tables for SQLAlchemy; `migrations/` creates them. Their partial indexes are in `partial_indexes.py`."""

import sqlalchemy as sa

from storage.columns import ID, JSON, METADATA, StorableText, optional, required
from storage.people_tables import (
    approval,
    directory_pair,
    identity,
    link_page,
    link_request,
    operator_link,
    sign_in,
)

repository = sa.Table(
    "repository",
    METADATA,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    *required(StorableText, "full_name", "owner_login", "owner_type", "visibility", "html_url", "state"),
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
    *required(StorableText, "account_login", "account_type", "state"),
)

alert = sa.Table(
    "alert",
    METADATA,
    sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    *required(StorableText, "html_url", "secret_type", "secret_type_name", "category", "state", "validity"),
    *required(sa.Double, "created_at", "updated_at", "first_seen_at"),
    *required(sa.Boolean, "publicly_leaked", "multi_repo", "base64_encoded", "detailed", "validity_written"),
    *optional(StorableText, "provider", "resolution", "resolution_comment"),
    sa.Column("resolved_by_id", sa.BigInteger),
    sa.Column("resolved_by_login", StorableText),
    sa.Column("bypassed", sa.Boolean, nullable=False),
    *optional(StorableText, "bypassed_by", "bypass_comment"),
    *optional(sa.Double, "resolved_at", "bypassed_at", "taken_at"),
    sa.Column("has_more_places", sa.Boolean, nullable=False),
    *optional(JSON, "place", "commit_author", "probe", "report", "acted_by", "last_hand_over"),
    sa.Column("token", JSON, nullable=False),
    sa.Column("assigned_to_id", sa.BigInteger, index=True),
    *optional(sa.BigInteger, "assigned_by_us_id", "taken_by_id"),
    *optional(StorableText, "assigned_to_login", "assigned_by_us_login", "taken_by_login"),
    *optional(StorableText, "taken_by_team", "taken_by_user"),
    # The job that has claimed the alert; only functions of `alerts` use these.
    sa.Column("claim_action", StorableText),
    sa.Column("claim_job", sa.BigInteger),
    sa.Column("claim_at", sa.Double),
    sa.Column("claim_tries", sa.Integer, nullable=False, server_default="0"),
)
sa.Index("alert_state", alert.c.state, alert.c.created_at)
# For a page of a list: of all alerts, of those of some repositories, and of those of a person.
sa.Index("alert_created", alert.c.created_at, alert.c.repository_id, alert.c.number, alert.c.state)
sa.Index("alert_repository", alert.c.repository_id, alert.c.state, alert.c.created_at, alert.c.number)

event = sa.Table(
    "event",
    METADATA,
    sa.Column("id", ID, primary_key=True),
    *required(sa.BigInteger, "repository_id", "alert_number"),
    sa.Column("kind", StorableText, nullable=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("by", JSON),
    sa.Column("details", JSON, nullable=False),
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
    *required(StorableText, "purpose", "channel", "subject"),
    *optional(sa.BigInteger, "repository_id", "alert_number"),
    *optional(StorableText, "ts", "fingerprint", "problem", "urgency", "stands_for"),
    sa.Column("draw", sa.Integer, nullable=False),
    *optional(sa.Double, "slot_at", "posting_since", "raised_at"),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("state", StorableText, nullable=False, index=True),
    sa.Column("folded_into", StorableText, index=True),
    sa.Column("facts", JSON),
    sa.ForeignKeyConstraint(["repository_id", "alert_number"], ["alert.repository_id", "alert.number"]),
    sa.UniqueConstraint("purpose", "channel", "subject"),
)
sa.Index("message_place", message.c.channel, message.c.ts)
sa.Index("message_recent", message.c.channel, message.c.created_at)
sa.Index("message_alert", message.c.repository_id, message.c.alert_number)

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
    *optional(StorableText, "action", "outcome"),
    sa.Column("body", JSON, nullable=False),
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
    *required(StorableText, "kind", "state"),
    *optional(StorableText, "key", "worker", "error", "trace"),
    *required(sa.Double, "run_at", "created_at"),
    sa.Column("attempts", sa.Integer, nullable=False),
    *optional(sa.Double, "lease_until", "finished_at"),
    sa.Column("payload", sa.JSON, nullable=False),
    sa.Column("dedup", StorableText, unique=True),
    # A `priorities.Priority`; the default is for rows of 0.1.0.
    sa.Column("priority", sa.Integer, nullable=False, server_default="2"),
    # Whether later jobs with its key wait while this one waits for its next try.
    sa.Column("holds", sa.Boolean, nullable=False),
    sqlite_autoincrement=True,
)

role = sa.Table(
    "role",
    METADATA,
    sa.Column("github_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("facts", JSON, nullable=False),
    sa.Column("fetched_at", sa.Double, nullable=False),
    sa.Column("owner_id", sa.BigInteger, nullable=False, index=True),
)
sa.Index("role_repository", role.c.repository_id)

subscription = sa.Table(
    "subscription",
    METADATA,
    sa.Column("channel", StorableText, primary_key=True),
    *required(StorableText, "filter", "thread"),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("mention", StorableText),
    *optional(JSON, "pinned", "author", "audience"),
    *optional(sa.Double, "changed_at", "lost_at", "paused_at"),
)

audit = sa.Table(
    "audit",
    METADATA,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Double, nullable=False),
    *optional(StorableText, "slack_team", "slack_user", "github_login", "repository", "reason"),
    *optional(sa.BigInteger, "github_id", "repository_id", "alert_number"),
    *required(StorableText, "action", "outcome", "previous", "hash"),
)


saved_value = sa.Table(
    "mark",
    METADATA,
    sa.Column("key", StorableText, primary_key=True),
    sa.Column("value", JSON),
)
