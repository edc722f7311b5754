"""The tables of people: who is linked to which GitHub account, by which source; and approvals."""

from typing import Any

import sqlalchemy as sa

from storage.columns import JSON, METADATA, StorableText, optional, required


def _slack_user() -> list[sa.Column[Any]]:
    """The columns of a primary key, or the start of one, that name a Slack user."""
    return [sa.Column(name, StorableText, primary_key=True) for name in ("slack_team", "slack_user")]


identity = sa.Table(
    "identity",
    METADATA,
    sa.Column("slack_team", StorableText, primary_key=True),
    sa.Column("slack_user", StorableText, primary_key=True),
    sa.Column("github_id", sa.BigInteger, nullable=False),
    *required(StorableText, "github_login", "proof", "linked_by"),
    *optional(StorableText, "slack_name", "suspension"),
    sa.Column("linked_at", sa.Double, nullable=False),
    sa.Column("suspended_at", sa.Double),
    sa.UniqueConstraint("slack_team", "github_id"),
)

operator_link = sa.Table(
    "operator_link",
    METADATA,
    *_slack_user(),
    sa.Column("github_id", sa.BigInteger, nullable=False),
    *required(StorableText, "github_login", "linked_by"),
    sa.Column("linked_at", sa.Double, nullable=False),
    sa.UniqueConstraint("slack_team", "github_id"),
)

sign_in = sa.Table(
    "sign_in",
    METADATA,
    *_slack_user(),
    sa.Column("github_id", sa.BigInteger, nullable=False),
    sa.Column("github_login", StorableText, nullable=False),
    *required(sa.Double, "signed_in_at", "lapses_at"),
    # Counted up by each change of the tokens; a change names the version that it read.
    sa.Column("version", sa.Integer, nullable=False),
    *optional(sa.LargeBinary, "access", "refresh"),
    sa.Column("key_id", StorableText),
    *optional(sa.Double, "access_until", "refresh_until", "refreshing_until", "suspended_at"),
    *optional(StorableText, "refreshing_by", "suspension"),
)
sa.Index("sign_in_account", sign_in.c.slack_team, sign_in.c.github_id)

directory_pair = sa.Table(
    "directory_pair",
    METADATA,
    *_slack_user(),
    sa.Column("github_id", sa.BigInteger, primary_key=True, autoincrement=False),
    *required(StorableText, "github_login", "kind", "address_hash"),
    *required(sa.Double, "first_seen_at", "seen_at"),
    sa.Column("suspended_at", sa.Double),
    sa.Column("suspension", StorableText),
)
sa.Index("directory_pair_account", directory_pair.c.slack_team, directory_pair.c.github_id)

link_request = sa.Table(
    "link_request",
    METADATA,
    sa.Column("hash", StorableText, primary_key=True),
    *required(StorableText, "slack_team", "slack_user"),
    *optional(StorableText, "channel", "view_id"),
    sa.Column("continuation", JSON),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("expires_at", sa.Double, nullable=False, index=True),
    sa.Column("tries", sa.Integer, nullable=False),
)
sa.Index("link_request_user", link_request.c.slack_team, link_request.c.slack_user)

link_page = sa.Table(
    "link_page",
    METADATA,
    sa.Column("state_hash", StorableText, primary_key=True),
    sa.Column("request", StorableText, nullable=False, index=True),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("expires_at", sa.Double, nullable=False, index=True),
    *optional(sa.Double, "used_at", "access_until", "refresh_until"),
    *optional(StorableText, "code_hash", "github_login", "key_id"),
    sa.Column("github_id", sa.BigInteger),
    # Encrypted; without encryption keys, the process that serves the page keeps the verifier in memory.
    *optional(sa.LargeBinary, "verifier", "access", "refresh"),
)

approval = sa.Table(
    "approval",
    METADATA,
    sa.Column("id", StorableText, primary_key=True),
    *required(sa.BigInteger, "repository_id", "alert_number", "requested_by_id"),
    *required(StorableText, "requested_by_team", "requested_by_user", "requested_by_login", "state"),
    sa.Column("requested_at", sa.Double, nullable=False),
    sa.Column("expires_at", sa.Double, nullable=False, index=True),
    sa.Column("facts", JSON, nullable=False),
    sa.Column("decided_by_id", sa.BigInteger),
    *optional(StorableText, "decided_by_team", "decided_by_user", "decided_by_login"),
    sa.Column("decided_at", sa.Double),
)
sa.Index("approval_alert", approval.c.repository_id, approval.c.alert_number)
sa.Index("approval_person", approval.c.requested_by_id, approval.c.requested_at)
