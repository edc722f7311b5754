"""Everything of the first version."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _repositories()
    _alerts()
    _timeline()
    _channels()
    _inbox()
    _jobs()
    _people()
    _audit()
    _make_audit_append_only()


def _repositories() -> None:
    op.create_table(
        "installation",
        sa.Column("id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("account_id", sa.BigInteger, nullable=False),
        sa.Column("account_login", sa.Text, nullable=False),
        sa.Column("account_type", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="installation_pk"),
    )
    op.create_table(
        "repository",
        sa.Column("id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("full_name", sa.Text, nullable=False),
        sa.Column("folded_name", sa.Text, nullable=False),
        sa.Column("owner_id", sa.BigInteger, nullable=False),
        sa.Column("owner_login", sa.Text, nullable=False),
        sa.Column("owner_type", sa.Text, nullable=False),
        sa.Column("visibility", sa.Text, nullable=False),
        sa.Column("html_url", sa.Text, nullable=False),
        sa.Column("installation_id", sa.BigInteger),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("delegated_dismissal", sa.Boolean),
        sa.PrimaryKeyConstraint("id", name="repository_pk"),
    )
    op.create_index("repository_folded_name_ix", "repository", ["folded_name"])
    op.create_index("repository_installation_id_ix", "repository", ["installation_id"])


def _alerts() -> None:
    op.create_table(
        "alert",
        sa.Column("repository_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("html_url", sa.Text, nullable=False),
        sa.Column("secret_type", sa.Text, nullable=False),
        sa.Column("secret_type_name", sa.Text, nullable=False),
        sa.Column("provider", sa.Text),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("resolution", sa.Text),
        sa.Column("resolution_comment", sa.Text),
        sa.Column("resolved_by_id", sa.BigInteger),
        sa.Column("resolved_by_login", sa.Text),
        sa.Column("resolved_at", sa.Double),
        sa.Column("validity", sa.Text, nullable=False),
        sa.Column("publicly_leaked", sa.Boolean, nullable=False),
        sa.Column("multi_repo", sa.Boolean, nullable=False),
        sa.Column("base64_encoded", sa.Boolean, nullable=False),
        sa.Column("bypassed", sa.Boolean, nullable=False),
        sa.Column("bypassed_by", sa.Text),
        sa.Column("bypassed_at", sa.Double),
        sa.Column("bypass_comment", sa.Text),
        sa.Column("place", sa.JSON),
        sa.Column("has_more_places", sa.Boolean, nullable=False),
        sa.Column("assigned_to_id", sa.BigInteger),
        sa.Column("assigned_to_login", sa.Text),
        sa.Column("token", sa.JSON, nullable=False),
        sa.Column("detailed", sa.Boolean, nullable=False),
        sa.Column("first_seen_at", sa.Double, nullable=False),
        sa.Column("probe", sa.JSON),
        sa.Column("report", sa.JSON),
        sa.Column("taken_by_team", sa.Text),
        sa.Column("taken_by_user", sa.Text),
        sa.Column("taken_by_id", sa.BigInteger),
        sa.Column("taken_by_login", sa.Text),
        sa.Column("taken_at", sa.Double),
        sa.Column("acted_by", sa.JSON),
        sa.Column("validity_written", sa.Boolean, nullable=False),
        sa.Column("claim_action", sa.Text),
        sa.Column("claim_job", sa.BigInteger),
        sa.Column("claim_at", sa.Double),
        sa.PrimaryKeyConstraint("repository_id", "number", name="alert_pk"),
    )
    op.create_index("alert_assigned_to_id_ix", "alert", ["assigned_to_id"])
    op.create_index("alert_state", "alert", ["state", "created_at"])


def _timeline() -> None:
    op.create_table(
        "event",
        sa.Column("id", ID, nullable=False),
        sa.Column("repository_id", sa.BigInteger, nullable=False),
        sa.Column("alert_number", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("by", sa.JSON),
        sa.Column("details", sa.JSON, nullable=False),
        sa.Column("once", sa.Text),
        sa.ForeignKeyConstraint(
            ["repository_id", "alert_number"], ["alert.repository_id", "alert.number"], name="event_alert_fk"
        ),
        sa.PrimaryKeyConstraint("id", name="event_pk"),
        sa.UniqueConstraint(
            "repository_id", "alert_number", "once", name="event_repository_id_alert_number_once_uq"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("event_alert", "event", ["repository_id", "alert_number", "id"])


def _channels() -> None:
    op.create_table(
        "message",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("repository_id", sa.BigInteger),
        sa.Column("alert_number", sa.BigInteger),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("ts", sa.Text),
        sa.Column("draw", sa.Integer, nullable=False),
        sa.Column("fingerprint", sa.Text),
        sa.Column("slot_at", sa.Double),
        sa.Column("posting_since", sa.Double),
        sa.Column("problem", sa.Text),
        sa.Column("folded_into", sa.Text),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.ForeignKeyConstraint(
            ["repository_id", "alert_number"],
            ["alert.repository_id", "alert.number"],
            name="message_alert_fk",
        ),
        sa.PrimaryKeyConstraint("key", name="message_pk"),
        sa.UniqueConstraint("purpose", "channel", "subject", name="message_purpose_channel_subject_uq"),
    )
    op.create_index("message_folded_into_ix", "message", ["folded_into"])
    op.create_index("message_recent", "message", ["channel", "created_at"])
    op.create_index("message_alert", "message", ["repository_id", "alert_number"])
    op.create_index("message_place", "message", ["channel", "ts"])
    op.create_index("message_state_ix", "message", ["state"])
    op.create_table(
        "channel_pace",
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("next_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("channel", name="channel_pace_pk"),
    )
    op.create_table(
        "subscription",
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("filter", sa.Text, nullable=False),
        sa.Column("thread", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("channel", name="subscription_pk"),
    )


def _inbox() -> None:
    op.create_table(
        "delivery",
        sa.Column("guid", sa.Text, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("action", sa.Text),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("received_at", sa.Double, nullable=False),
        sa.Column("outcome", sa.Text),
        sa.PrimaryKeyConstraint("guid", name="delivery_pk"),
    )
    op.create_index("delivery_received_at_ix", "delivery", ["received_at"])
    op.create_table(
        "slack_request",
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("seen_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name="slack_request_pk"),
    )
    op.create_index("slack_request_seen_at_ix", "slack_request", ["seen_at"])


def _jobs() -> None:
    op.create_table(
        "job",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("payload", sa.JSON, nullable=False),
        sa.Column("key", sa.Text),
        sa.Column("dedup", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("run_at", sa.Double, nullable=False),
        sa.Column("holds", sa.Boolean, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("worker", sa.Text),
        sa.Column("lease_until", sa.Double),
        sa.Column("error", sa.Text),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("finished_at", sa.Double),
        sa.PrimaryKeyConstraint("id", name="job_pk"),
        sa.UniqueConstraint("dedup", name="job_dedup_uq"),
        sqlite_autoincrement=True,
    )
    _index_jobs("job_due", ["run_at", "id"], "ready")
    _index_jobs("job_finished", ["finished_at"], "done")
    _index_jobs("job_key_running", ["key"], "running", unique=True)
    _index_jobs("job_key_waiting", ["key", "id"], "ready")
    _index_jobs("job_lease", ["lease_until"], "running")
    _index_jobs("job_parked", ["id"], "parked")
    op.create_table(
        "mark",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("value", sa.JSON),
        sa.PrimaryKeyConstraint("key", name="mark_pk"),
    )


def _people() -> None:
    op.create_table(
        "identity",
        sa.Column("slack_team", sa.Text, nullable=False),
        sa.Column("slack_user", sa.Text, nullable=False),
        sa.Column("github_id", sa.BigInteger, nullable=False),
        sa.Column("github_login", sa.Text, nullable=False),
        sa.Column("proof", sa.Text, nullable=False),
        sa.Column("linked_at", sa.Double, nullable=False),
        sa.Column("linked_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("slack_team", "slack_user", name="identity_pk"),
        sa.UniqueConstraint("slack_team", "github_id", name="identity_slack_team_github_id_uq"),
    )
    op.create_table(
        "role",
        sa.Column("github_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("repository_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("owner_id", sa.BigInteger, nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Column("fetched_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("github_id", "repository_id", name="role_pk"),
    )
    op.create_index("role_owner_id_ix", "role", ["owner_id"])
    op.create_index("role_repository", "role", ["repository_id"])


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("slack_team", sa.Text),
        sa.Column("slack_user", sa.Text),
        sa.Column("github_login", sa.Text),
        sa.Column("github_id", sa.BigInteger),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("repository_id", sa.BigInteger),
        sa.Column("repository", sa.Text),
        sa.Column("alert_number", sa.BigInteger),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("previous", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="audit_pk"),
    )


def _index_jobs(name: str, columns: list[str], state: str, *, unique: bool = False) -> None:
    """Index the jobs of one state alone."""
    where = sa.text(f"state = '{state}'")
    op.create_index(name, "job", columns, unique=unique, sqlite_where=where, postgresql_where=where)


def _make_audit_append_only() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name, change in (("update", "UPDATE"), ("delete", "DELETE")):
            op.execute(
                f"CREATE TRIGGER audit_no_{name} BEFORE {change} ON audit"
                " BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
            )
        # REPLACE deletes without asking the trigger for deletions.
        op.execute(
            "CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit"
            " WHEN EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq)"
            " BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
        )
        return
    op.execute(
        "CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit"
        " FOR EACH ROW EXECUTE FUNCTION audit_refuse()"
    )
    op.execute(
        "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit"
        " FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()"
    )
