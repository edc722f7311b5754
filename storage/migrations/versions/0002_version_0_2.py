"""What version 0.2.0 adds. Only additions: 0.1.0 runs beside this schema."""

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add each new column with a server default, so that 0.1.0 can still insert rows."""
