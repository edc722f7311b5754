"""The columns of an alert that are true or false, for those who insert alerts by SQL."""

import sqlalchemy as sa

from storage.tables import alert

FLAGS = tuple(
    column.name for column in alert.c if isinstance(column.type, sa.Boolean) and column.name != "detailed"
)
"""Without `detailed`, which is true of an alert that was read from GitHub."""
