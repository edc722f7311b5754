"""The partial indexes of the tables; `migrations/` creates them.

Only migrations import them: the conditions make SQLAlchemy load PostgreSQL's dialect, which takes 2 MB of memory.
"""

from typing import Any

import sqlalchemy as sa

from storage.tables import alert, audit, job, message


def _partial(name: str, *columns: sa.Column[Any], where: sa.ColumnElement[bool], **options: Any) -> None:
    """Add an index of the rows for which `where` holds."""
    sa.Index(name, *columns, sqlite_where=where, postgresql_where=where, **options)


_partial("alert_taken", alert.c.taken_by_id, where=alert.c.taken_by_id.is_not(None))
_IS_HELD = sa.or_(alert.c.taken_by_id.is_not(None), alert.c.assigned_by_us_id.is_not(None))
_partial("alert_held", alert.c.repository_id, where=_IS_HELD)
_partial("message_alone", message.c.channel, message.c.created_at, where=message.c.folded_into.is_(None))
_partial("message_problem", message.c.channel, message.c.created_at, where=message.c.problem.is_not(None))
_IS_READY = job.c.state == "ready"
_IS_RUNNING = job.c.state == "running"
_partial("job_due", job.c.run_at, job.c.id, where=_IS_READY)
_partial("job_next", job.c.priority, job.c.run_at, job.c.id, where=_IS_READY)
_partial("job_lease", job.c.lease_until, where=_IS_RUNNING)
_partial("job_key_waiting", job.c.key, job.c.id, where=_IS_READY)
_partial("job_key_running", job.c.key, where=_IS_RUNNING, unique=True)
_partial("job_parked", job.c.id, where=job.c.state == "parked")
_partial("job_finished", job.c.finished_at, where=job.c.state == "done")
_partial("audit_intended", audit.c.github_id, audit.c.action, audit.c.at, where=audit.c.outcome == "intended")
