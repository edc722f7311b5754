"""The additions of version 0.2.0, with which version 0.1.0 still runs."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns that are nullable or have a server default, so that 0.1.0 can still insert rows."""
    _assignments()
    _make_places_readable()
    _priorities()
    _claims()
    _urgencies()
    _messages_of_blocked_channels()
    _limits()
    _subscriptions()
    _commit_authors()
    _hand_overs()
    _sources_of_identities()
    _link_requests()
    _approvals()
    _traces()
    _orders_of_lists()
    _cards_alone()


def _assignments() -> None:
    """Whom Stanch assigned on GitHub, and an index of the alerts that are taken or so assigned."""
    op.add_column("alert", sa.Column("assigned_by_us_id", sa.BigInteger))
    op.add_column("alert", sa.Column("assigned_by_us_login", sa.Text))
    held = "taken_by_id IS NOT NULL OR assigned_by_us_id IS NOT NULL"
    _index("alert_held", "alert", ["repository_id"], where=held)


def _make_places_readable() -> None:
    """Remove from stored locations the escaped NULs and half surrogate pairs, on which PostgreSQL's queries fail."""
    alert = sa.table("alert", sa.column("repository_id"), sa.column("number"), sa.column("place", sa.JSON))
    stored = sa.cast(alert.c.place, sa.Text)
    odd = sa.or_(*(stored.contains(part, autoescape=True) for part in ("\\u0000", "\\ud")))
    conn = op.get_bind()
    for row in conn.execute(sa.select(alert).where(odd)).all():
        # The engine's JSON serializer, `encode_json`, removes them.
        same = sa.and_(alert.c.repository_id == row.repository_id, alert.c.number == row.number)
        conn.execute(sa.update(alert).where(same).values(place=row.place))


def _priorities() -> None:
    """The priority of jobs. All jobs of 0.1.0 get the one between messages and syncs."""
    op.add_column("job", sa.Column("priority", sa.Integer, nullable=False, server_default="2"))
    _index("job_next", "job", ["priority", "run_at", "id"], where="state = 'ready'")


def _claims() -> None:
    """The number of tries under a claim, in which the job could not find out whether it had had its effect."""
    op.add_column("alert", sa.Column("claim_tries", sa.Integer, nullable=False, server_default="0"))


def _urgencies() -> None:
    """The urgency of an alert when its card was planned; NULL for cards of 0.1.0."""
    op.add_column("message", sa.Column("urgency", sa.Text))


def _messages_of_blocked_channels() -> None:
    """The columns for blocked messages, and an index of them.

    0.1.0 dropped a posted message when one update failed because of its channel: those count as posted again.
    """
    op.add_column("message", sa.Column("raised_at", sa.Double))
    op.add_column("message", sa.Column("stands_for", sa.Text))
    _index("message_problem", "message", ["channel", "created_at"], where="problem IS NOT NULL")
    message = sa.table("message", *(sa.column(name) for name in ("state", "ts", "problem")))
    given_up = sa.and_(
        message.c.state == "dropped", message.c.ts.is_not(None), message.c.problem.in_(_CHANNEL_PROBLEMS)
    )
    op.get_bind().execute(sa.update(message).where(given_up).values(state="posted"))


def _limits() -> None:
    """An index of what each person has wanted to do, for the limits of an hour."""
    _index("audit_intended", "audit", ["github_id", "action", "at"], where="outcome = 'intended'")


def _subscriptions() -> None:
    """What `/leaks subscribe` stores besides the filter, and the facts of notices."""
    op.add_column("subscription", sa.Column("mention", sa.Text))
    for name in ("pinned", "author", "audience"):
        op.add_column("subscription", sa.Column(name, sa.JSON))
    for name in ("changed_at", "lost_at", "paused_at"):
        op.add_column("subscription", sa.Column(name, sa.Double))
    op.add_column("message", sa.Column("facts", sa.JSON))


def _commit_authors() -> None:
    """Who made the commit of an alert's location, and the Slack names by which people are shown."""
    op.add_column("alert", sa.Column("commit_author", sa.JSON))
    op.add_column("identity", sa.Column("slack_name", sa.Text))


def _hand_overs() -> None:
    """When an alert was last handed over, and whether GitHub's assignment gives its receiver rights."""
    op.add_column("alert", sa.Column("last_hand_over", sa.JSON))


def _sources_of_identities() -> None:
    """Why a link is suspended, and what each source says: operators, sign-ins and the directory."""
    op.add_column("identity", sa.Column("suspension", sa.Text))
    op.add_column("identity", sa.Column("suspended_at", sa.Double))
    op.create_table(
        "operator_link",
        *_required(sa.Text, "slack_team", "slack_user", "github_login", "linked_by"),
        *_required(sa.BigInteger, "github_id"),
        *_required(sa.Double, "linked_at"),
        sa.PrimaryKeyConstraint("slack_team", "slack_user", name="operator_link_pk"),
        sa.UniqueConstraint("slack_team", "github_id", name="operator_link_slack_team_github_id_uq"),
    )
    op.create_table(
        "sign_in",
        *_required(sa.Text, "slack_team", "slack_user", "github_login"),
        *_required(sa.BigInteger, "github_id"),
        *_required(sa.Double, "signed_in_at", "lapses_at"),
        *_required(sa.Integer, "version"),
        *_optional(sa.LargeBinary, "access", "refresh"),
        *_optional(sa.Text, "key_id", "refreshing_by", "suspension"),
        *_optional(sa.Double, "access_until", "refresh_until", "refreshing_until", "suspended_at"),
        sa.PrimaryKeyConstraint("slack_team", "slack_user", name="sign_in_pk"),
    )
    op.create_index("sign_in_account", "sign_in", ["slack_team", "github_id"])
    op.create_table(
        "directory_pair",
        *_required(sa.Text, "slack_team", "slack_user", "github_login", "kind", "address_hash"),
        *_required(sa.BigInteger, "github_id"),
        *_required(sa.Double, "first_seen_at", "seen_at"),
        *_optional(sa.Double, "suspended_at"),
        *_optional(sa.Text, "suspension"),
        sa.PrimaryKeyConstraint("slack_team", "slack_user", "github_id", name="directory_pair_pk"),
    )
    op.create_index("directory_pair_account", "directory_pair", ["slack_team", "github_id"])


def _link_requests() -> None:
    """Sign-ins under way: the window in Slack, and each page that was opened from it."""
    op.create_table(
        "link_request",
        *_required(sa.Text, "hash", "slack_team", "slack_user"),
        *_optional(sa.Text, "channel", "view_id"),
        *_optional(sa.JSON, "continuation"),
        *_required(sa.Double, "created_at", "expires_at"),
        *_required(sa.Integer, "tries"),
        sa.PrimaryKeyConstraint("hash", name="link_request_pk"),
    )
    op.create_index("link_request_user", "link_request", ["slack_team", "slack_user"])
    op.create_index("link_request_expires_at_ix", "link_request", ["expires_at"])
    op.create_table(
        "link_page",
        *_required(sa.Text, "state_hash", "request"),
        *_required(sa.Double, "created_at", "expires_at"),
        *_optional(sa.Double, "used_at", "access_until", "refresh_until"),
        *_optional(sa.Text, "code_hash", "github_login", "key_id"),
        *_optional(sa.BigInteger, "github_id"),
        *_optional(sa.LargeBinary, "verifier", "access", "refresh"),
        sa.PrimaryKeyConstraint("state_hash", name="link_page_pk"),
    )
    op.create_index("link_page_request_ix", "link_page", ["request"])
    op.create_index("link_page_expires_at_ix", "link_page", ["expires_at"])


def _approvals() -> None:
    """Requests that a second person approves or denies."""
    op.create_table(
        "approval",
        *_required(sa.Text, "id", "requested_by_team", "requested_by_user", "requested_by_login", "state"),
        *_required(sa.BigInteger, "repository_id", "alert_number", "requested_by_id"),
        *_required(sa.Double, "requested_at", "expires_at"),
        *_required(sa.JSON, "facts"),
        *_optional(sa.BigInteger, "decided_by_id"),
        *_optional(sa.Text, "decided_by_team", "decided_by_user", "decided_by_login"),
        *_optional(sa.Double, "decided_at"),
        sa.PrimaryKeyConstraint("id", name="approval_pk"),
    )
    op.create_index("approval_alert", "approval", ["repository_id", "alert_number"])
    op.create_index("approval_person", "approval", ["requested_by_id", "requested_at"])
    op.create_index("approval_expires_at_ix", "approval", ["expires_at"])


def _required(kind: Any, *names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=False, autoincrement=False) for name in names]


def _optional(kind: Any, *names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind) for name in names]


def _index(name: str, table: str, columns: list[str], *, where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)


_CHANNEL_PROBLEMS = (
    *("app_access_restricted", "channel_is_limited_access", "channel_not_found"),
    *("external_channel_migrating", "is_archived", "is_inactive", "not_in_channel", "team_not_found"),
    *("posting_to_channel_denied", "restricted_action", "restricted_action_non_threadable_channel"),
    *("restricted_action_read_only_channel", "restricted_action_thread_locked"),
    "restricted_action_thread_only_channel",
)


def _traces() -> None:
    """The id of the delivery or request that led to a job."""
    op.add_column("job", sa.Column("trace", sa.Text))


def _orders_of_lists() -> None:
    """Indexes for a page of a list: of all alerts, of those of some repositories, and of those of a person."""
    op.create_index("alert_created", "alert", ["created_at", "repository_id", "number", "state"])
    op.create_index("alert_repository", "alert", ["repository_id", "state", "created_at", "number"])
    _index("alert_taken", "alert", ["taken_by_id"], where="taken_by_id IS NOT NULL")


def _cards_alone() -> None:
    """An index of the messages that are in no summary."""
    _index("message_alone", "message", ["channel", "created_at"], where="folded_into IS NULL")
