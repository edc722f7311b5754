"""Requests for approval: one open request for an alert at a time, which is decided once."""

from dataclasses import asdict

import sqlalchemy as sa

from storage import rows
from storage.db import Tx
from storage.records import AlertKey, Approval, ApprovalState, Person, ReportFacts, UnixTime
from storage.tables import approval

_OPEN = approval.c.state == ApprovalState.OPEN


async def request(tx: Tx, new: Approval) -> bool:
    """Store an open request; False if the alert has one already. Lock the alert before."""
    if await open_request(tx, new.alert, tx.now) is not None:
        return False
    values = {
        **rows.values(new, approval),
        "repository_id": new.alert.repository_id,
        "alert_number": new.alert.number,
        **_person("requested_by", new.requested_by),
        **_person("decided_by", new.decided_by),
        "facts": {**asdict(new.facts), "channel": new.channel, "thread": new.thread},
    }
    await tx.conn.execute(sa.insert(approval).values(values))
    return True


async def load(tx: Tx, id_: str) -> Approval | None:
    """The request with this id, or None."""
    return await rows.find(tx, approval, _record, id=id_)


async def open_request(tx: Tx, key: AlertKey, now: UnixTime) -> Approval | None:
    """The alert's request that nobody has decided yet and that has not lapsed by `now`; None without one."""
    waiting = sa.and_(_is_about(key), _OPEN, approval.c.expires_at > now)
    newest = sa.select(approval).where(waiting).order_by(approval.c.requested_at.desc()).limit(1)
    return await rows.one(tx, newest, _record)


async def denied_at(tx: Tx, key: AlertKey, person: Person) -> UnixTime | None:
    """When a request of this person for this alert was last denied, by Slack user or GitHub account."""
    user, account = person.slack_user, person.github
    same = sa.or_(
        approval.c.requested_by_user == user, approval.c.requested_by_id == (account.id if account else None)
    )
    denied = sa.and_(_is_about(key), same, approval.c.state == ApprovalState.DENIED)
    at: UnixTime | None = await tx.conn.scalar(sa.select(sa.func.max(approval.c.decided_at)).where(denied))
    return at


async def decide(tx: Tx, id_: str, state: ApprovalState, by: Person | None) -> bool:
    """Decide an open request; False if it was decided before.

    One conditional UPDATE: if two people read first and wrote then, both would decide. With a person it must not have
    lapsed.
    """
    in_time = _OPEN if by is None else sa.and_(_OPEN, approval.c.expires_at > tx.now)
    return await _change(tx, id_, in_time, state=state, decided_at=tx.now, **_person("decided_by", by))


async def end(tx: Tx, id_: str) -> bool:
    """End an open request, or an approved one whose report was refused; False if it had ended before."""
    ongoing = approval.c.state.in_((ApprovalState.OPEN, ApprovalState.APPROVED))
    return await _change(tx, id_, ongoing, state=ApprovalState.ENDED)


async def prune(tx: Tx, before: UnixTime) -> int:
    """Delete requests that lapsed, or would have, before then; returns how many."""
    return (await tx.conn.execute(sa.delete(approval).where(approval.c.expires_at < before))).rowcount


async def _change(tx: Tx, id_: str, condition: sa.ColumnElement[bool], **values: object) -> bool:
    query = sa.update(approval).where(approval.c.id == id_, condition).values(**values)
    return (await tx.conn.execute(query)).rowcount == 1


def _is_about(key: AlertKey) -> sa.ColumnElement[bool]:
    return sa.and_(approval.c.repository_id == key.repository_id, approval.c.alert_number == key.number)


def _person(name: str, person: Person | None) -> dict[str, object]:
    found = person or Person()
    return {
        f"{name}_team": found.slack_team,
        f"{name}_user": found.slack_user,
        **rows.account_values(name, found.github),
    }


def _record(columns: rows.Columns) -> Approval:
    facts = columns["facts"]
    return rows.build(
        Approval,
        columns,
        alert=AlertKey(columns["repository_id"], columns["alert_number"]),
        requested_by=_person_of(columns, "requested_by"),
        decided_by=_person_of(columns, "decided_by") if columns["decided_by_user"] else None,
        facts=rows.build(ReportFacts, facts),
        channel=facts.get("channel"),
        thread=facts.get("thread"),
    )


def _person_of(columns: rows.Columns, name: str) -> Person:
    return Person(columns[f"{name}_team"], columns[f"{name}_user"], rows.account(columns, name))
