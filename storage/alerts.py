"""Alerts, their claims by jobs, and their timeline."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

import sqlalchemy as sa

from storage import jobs, rows
from storage.db import Tx
from storage.records import (
    Alert,
    AlertKey,
    AlertState,
    Claim,
    Event,
    EventKind,
    GitHubId,
    JobId,
    Person,
    RepositoryId,
    UnixTime,
)
from storage.tables import alert, job
from storage.tables import event as timeline
from storage.tables import repository as repositories

_CLAIM_LIVES = sa.exists().where(job.c.id == alert.c.claim_job, job.c.state.in_((jobs.READY, jobs.RUNNING)))


async def load(tx: Tx, key: AlertKey) -> Alert | None:
    """The alert, or None."""
    return await rows.find(tx, alert, record, repository_id=key.repository_id, number=key.number)


async def versions(tx: Tx, keys: Collection[AlertKey]) -> dict[AlertKey, tuple[UnixTime, AlertState, str]]:
    """Of each stored alert of these: GitHub's `updated_at`, state and validity."""
    columns = (alert.c.repository_id, alert.c.number, alert.c.updated_at, alert.c.state, alert.c.validity)
    found = await tx.conn.execute(sa.select(*columns).where(is_one_of(keys)))
    return {AlertKey(row[0], row[1]): (row[2], AlertState(row[3]), row[4]) for row in found}


async def load_all(tx: Tx, keys: Collection[AlertKey]) -> dict[AlertKey, Alert]:
    """The stored alerts of these keys."""
    found = await rows.listed(tx, sa.select(alert).where(is_one_of(keys)), record)
    return {one.key: one for one in found}


async def load_for_update(tx: Tx, key: AlertKey) -> Alert | None:
    """The alert, or None; other transactions can't change it until this one ends."""
    return await rows.find(tx, alert, record, lock=True, repository_id=key.repository_id, number=key.number)


async def insert(tx: Tx, new: Alert) -> bool:
    """Store a new alert; False if it is stored already."""
    query = tx.insert(alert).on_conflict_do_nothing(index_elements=[alert.c.repository_id, alert.c.number])
    return (await tx.conn.execute(query, _values(new))).rowcount == 1


async def insert_all(tx: Tx, new: Sequence[Alert]) -> set[AlertKey]:
    """Store new alerts in the order given; returns the keys of those that were not stored already."""
    insert = tx.insert(alert).on_conflict_do_nothing(index_elements=[alert.c.repository_id, alert.c.number])
    query = insert.returning(alert.c.repository_id, alert.c.number)
    stored = await tx.conn.execute(query, [_values(one) for one in new])
    return {AlertKey(row[0], row[1]) for row in stored}


async def save(tx: Tx, changed: Alert) -> None:
    """Overwrite the alert of the same key; its claim stays."""
    await tx.conn.execute(sa.update(alert).where(_is(changed.key)), _values(changed))


async def claim(tx: Tx, key: AlertKey, action: str, job_id: JobId) -> Claim:
    """Claim the alert for one job, so that no other job acts on it meanwhile.

    One conditional UPDATE: if two jobs read first and wrote then, both would act. The claim ends by `release`, or
    when its job is no longer ready or running, so that a parked job can't keep the alert.
    """
    free = sa.or_(alert.c.claim_job.is_(None), sa.and_(alert.c.claim_job != job_id, ~_CLAIM_LIVES))
    values = {"claim_action": action, "claim_job": job_id, "claim_at": tx.now, "claim_tries": 0}
    if (await tx.conn.execute(sa.update(alert).where(_is(key), free).values(values))).rowcount == 1:
        return Claim.NEW
    return Claim.RESUMED if await claimed_by(tx, key) == job_id else Claim.TAKEN


async def claimed_by(tx: Tx, key: AlertKey) -> JobId | None:
    """The job that has claimed the alert, whatever its state is now; None without a claim."""
    claimed: JobId | None = await tx.conn.scalar(sa.select(alert.c.claim_job).where(_is(key)))
    return claimed


async def claimed_at(tx: Tx, key: AlertKey, job_id: JobId) -> UnixTime | None:
    """When this job claimed the alert; None if it has no claim."""
    mine = sa.and_(_is(key), alert.c.claim_job == job_id)
    at: float | None = await tx.conn.scalar(sa.select(alert.c.claim_at).where(mine))
    return at


async def count_try(tx: Tx, key: AlertKey, job_id: JobId) -> int:
    """Count one more try under this job's claim; returns the number of tries, 0 without a claim."""
    mine = sa.update(alert).where(_is(key), alert.c.claim_job == job_id)
    query = mine.values(claim_tries=alert.c.claim_tries + 1).returning(alert.c.claim_tries)
    return (await tx.conn.scalar(query)) or 0


async def is_claimed(tx: Tx, key: AlertKey) -> bool:
    """Whether a job that is ready or running has claimed the alert."""
    return await tx.conn.scalar(sa.select(alert.c.number).where(_is(key), _CLAIM_LIVES)) is not None


async def release(tx: Tx, key: AlertKey, job_id: JobId) -> None:
    """End this job's claim; a claim of another job stays."""
    query = sa.update(alert).where(_is(key), alert.c.claim_job == job_id)
    await tx.conn.execute(query.values(claim_action=None, claim_job=None, claim_at=None))


async def open_alerts(tx: Tx, *, limit: int, after: AlertKey | None = None) -> list[Alert]:
    """Up to `limit` open alerts in the order of their keys, from behind `after` on.

    Paging by key, not by offset, skips no alert when others are closed between two pages.
    """
    query = sa.select(alert).where(alert.c.state == AlertState.OPEN)
    if after is not None:
        behind = sa.tuple_(alert.c.repository_id, alert.c.number) > (after.repository_id, after.number)
        query = query.where(behind)
    return await rows.listed(tx, query.order_by(alert.c.repository_id, alert.c.number).limit(limit), record)


_IS_TAKEN = sa.or_(
    sa.and_(alert.c.taken_by_id.is_not(None), alert.c.state == AlertState.OPEN),
    alert.c.assigned_by_us_id.is_not(None),
)


async def taken_or_assigned(tx: Tx, repository_id: RepositoryId) -> list[Alert]:
    """A repository's alerts that are open and taken, and those to which Stanch assigned somebody on GitHub."""
    query = sa.select(alert).where(alert.c.repository_id == repository_id, _IS_TAKEN).order_by(alert.c.number)
    return await rows.listed(tx, query, record)


async def repositories_with_taken(
    tx: Tx,
    *,
    person: GitHubId | None = None,
    repository: RepositoryId | None = None,
    owner: GitHubId | None = None,
) -> list[RepositoryId]:
    """The repositories with alerts that are taken or assigned by Stanch.

    By `person` only those taken by or assigned to that account; by `repository` only that one, and by `owner` only
    those of that owner.
    """
    query = sa.select(alert.c.repository_id).where(_IS_TAKEN).distinct().order_by(alert.c.repository_id)
    if person is not None:
        query = query.where(sa.or_(alert.c.taken_by_id == person, alert.c.assigned_by_us_id == person))
    if repository is not None:
        query = query.where(alert.c.repository_id == repository)
    if owner is not None:
        owned = sa.select(repositories.c.id).where(repositories.c.owner_id == owner)
        query = query.where(alert.c.repository_id.in_(owned))
    return [RepositoryId(found) for found in (await tx.conn.execute(query)).scalars()]


async def count_by_state(tx: Tx) -> dict[AlertState, int]:
    """The number of alerts in each state."""
    found = await tx.conn.execute(sa.select(alert.c.state, sa.func.count()).group_by(alert.c.state))
    return dict.fromkeys(AlertState, 0) | {AlertState(state): number for state, number in found}


async def add_event(tx: Tx, new: Event) -> int | None:
    """Add an entry to an alert's timeline; returns its id, or None if the alert has an entry with its `once`."""
    names = [timeline.c.repository_id, timeline.c.alert_number, timeline.c.once]
    query = tx.insert(timeline).on_conflict_do_nothing(index_elements=names).returning(timeline.c.id)
    added: int | None = await tx.conn.scalar(query, _event_values(new))
    return added


async def add_events(tx: Tx, new: Iterable[Event]) -> list[Event]:
    """Add entries to timelines; returns those that were not there before, with their ids."""
    added = []
    for event in new:
        number = await add_event(tx, event)
        if number is not None:
            added.append(replace(event, id=number))
    return added


async def add_first_events(tx: Tx, new: Sequence[Event]) -> None:
    """Add entries to the timelines of alerts that were stored in this transaction."""
    await tx.conn.execute(tx.insert(timeline), [_event_values(one) for one in new])


async def events(tx: Tx, key: AlertKey, limit: int = 200) -> list[Event]:
    """The newest `limit` entries of an alert's timeline, in the order they were added."""
    of_alert = sa.and_(timeline.c.repository_id == key.repository_id, timeline.c.alert_number == key.number)
    query = sa.select(timeline).where(of_alert).order_by(timeline.c.id.desc()).limit(limit)
    return (await rows.listed(tx, query, _event))[::-1]


_EVENTS_OF_KIND = (
    sa.select(timeline)
    .where(timeline.c.repository_id == sa.bindparam("repository_id"))
    .where(timeline.c.alert_number == sa.bindparam("number"))
    .where(timeline.c.kind.in_(sa.bindparam("kinds", expanding=True)))
    .order_by(timeline.c.id)
)


async def events_of_kind(tx: Tx, key: AlertKey, *kinds: EventKind) -> list[Event]:
    """All entries of these kinds in an alert's timeline, oldest first."""
    wanted = {"repository_id": key.repository_id, "number": key.number, "kinds": kinds}
    return await rows.listed(tx, _EVENTS_OF_KIND, _event, wanted)


async def event(tx: Tx, event_id: int) -> Event | None:
    """One entry of a timeline, or None."""
    return await rows.find(tx, timeline, _event, id=event_id)


def is_one_of(keys: Collection[AlertKey]) -> sa.ColumnElement[bool]:
    """Whether an alert is one of these. SQLite has no index for pairs, so the repositories are named as well."""
    pair = sa.tuple_(alert.c.repository_id, alert.c.number)
    in_repositories = alert.c.repository_id.in_({key.repository_id for key in keys})
    return sa.and_(in_repositories, pair.in_([(key.repository_id, key.number) for key in keys]))


def _is(key: AlertKey) -> sa.ColumnElement[bool]:
    return sa.and_(alert.c.repository_id == key.repository_id, alert.c.number == key.number)


def _values(record: Alert) -> dict[str, object]:
    taken_by = record.taken_by or Person()
    return {
        **rows.values(record, alert),
        "repository_id": record.key.repository_id,
        "number": record.key.number,
        **rows.account_values("resolved_by", record.resolved_by),
        **rows.account_values("assigned_to", record.assigned_to),
        **rows.account_values("assigned_by_us", record.assigned_by_us),
        **rows.account_values("taken_by", taken_by.github),
        "taken_by_team": taken_by.slack_team,
        "taken_by_user": taken_by.slack_user,
    }


def _event_values(new: Event) -> dict[str, object]:
    return {
        "repository_id": new.alert.repository_id,
        "alert_number": new.alert.number,
        "kind": new.kind,
        "at": new.at,
        "by": new.by,
        "details": dict(new.details),
        "once": new.once,
    }


def record(columns: rows.Columns) -> Alert:
    """The alert in a row of the table."""
    taken = rows.account(columns, "taken_by")
    person = Person(columns["taken_by_team"], columns["taken_by_user"], taken)
    return rows.build(
        Alert,
        columns,
        key=AlertKey(columns["repository_id"], columns["number"]),
        resolved_by=rows.account(columns, "resolved_by"),
        assigned_to=rows.account(columns, "assigned_to"),
        assigned_by_us=rows.account(columns, "assigned_by_us"),
        taken_by=None if person == Person() else person,
    )


def _event(columns: rows.Columns) -> Event:
    return Event(
        alert=AlertKey(columns["repository_id"], columns["alert_number"]),
        kind=EventKind(columns["kind"]),
        at=columns["at"],
        by=columns["by"] and rows.build(Person, columns["by"]),
        details=columns["details"],
        once=columns["once"],
        id=columns["id"],
    )
