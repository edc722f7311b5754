"""Alerts, their claims by jobs, and their timeline."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from storage import jobs, json_documents
from storage.db import Row, Tx
from storage.records import (
    Account,
    Alert,
    AlertKey,
    AlertNumber,
    AlertState,
    Claim,
    Event,
    EventKind,
    GitHubId,
    JobId,
    Person,
    RepositoryId,
    SlackTeamId,
    SlackUserId,
    UnixTime,
)
from storage.tables import alert, job
from storage.tables import event as timeline
from storage.tables import repository as repositories

_PLAIN = (
    *("html_url", "secret_type", "secret_type_name", "provider", "category", "created_at", "updated_at"),
    *("resolution", "resolution_comment", "resolved_at", "validity", "publicly_leaked", "multi_repo"),
    *("base64_encoded", "bypassed", "bypassed_by", "bypassed_at", "bypass_comment", "has_more_places"),
    *("detailed", "first_seen_at", "taken_at", "validity_written"),
)
"""The fields of `Alert` that are columns of the same name and type."""

_CLAIM_LIVES = sa.exists().where(job.c.id == alert.c.claim_job, job.c.state.in_((jobs.READY, jobs.RUNNING)))


async def load(tx: Tx, key: AlertKey) -> Alert | None:
    """The alert, or None."""
    return await _load(tx, sa.select(alert).where(_is(key)))


async def versions(tx: Tx, keys: Collection[AlertKey]) -> dict[AlertKey, tuple[UnixTime, AlertState, str]]:
    """Of each stored alert of these: GitHub's `updated_at`, state and validity."""
    columns = (alert.c.repository_id, alert.c.number, alert.c.updated_at, alert.c.state, alert.c.validity)
    wanted = sa.tuple_(alert.c.repository_id, alert.c.number).in_(
        [(key.repository_id, key.number) for key in keys]
    )
    rows = await tx.conn.execute(sa.select(*columns).where(wanted))
    return {
        AlertKey(RepositoryId(row[0]), AlertNumber(row[1])): (row[2], AlertState(row[3]), row[4])
        for row in rows
    }


async def load_for_update(tx: Tx, key: AlertKey) -> Alert | None:
    """The alert, or None; other transactions can't change it until this one ends."""
    return await _load(tx, sa.select(alert).where(_is(key)).with_for_update())


async def insert(tx: Tx, new: Alert) -> bool:
    """Store a new alert; False if it is stored already."""
    query = tx.insert(alert).on_conflict_do_nothing(index_elements=[alert.c.repository_id, alert.c.number])
    return (await tx.conn.execute(query.values(_values(new)))).rowcount == 1


async def save(tx: Tx, changed: Alert) -> None:
    """Overwrite the alert of the same key; its claim stays."""
    await tx.conn.execute(sa.update(alert).where(_is(changed.key)).values(_values(changed)))


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
    claimed: int | None = await tx.conn.scalar(sa.select(alert.c.claim_job).where(_is(key)))
    return None if claimed is None else JobId(claimed)


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
    query = query.order_by(alert.c.repository_id, alert.c.number).limit(limit)
    return [record(row) for row in await tx.conn.execute(query)]


_IS_TAKEN = sa.or_(
    sa.and_(alert.c.taken_by_id.is_not(None), alert.c.state == AlertState.OPEN),
    alert.c.assigned_by_us_id.is_not(None),
)


async def taken_or_assigned(tx: Tx, repository_id: RepositoryId) -> list[Alert]:
    """A repository's alerts that are open and taken, and those to which Stanch assigned somebody on GitHub."""
    query = sa.select(alert).where(alert.c.repository_id == repository_id, _IS_TAKEN).order_by(alert.c.number)
    return [record(row) for row in await tx.conn.execute(query)]


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
        query = query.where(
            alert.c.repository_id.in_(sa.select(repositories.c.id).where(repositories.c.owner_id == owner))
        )
    return [RepositoryId(found) for found in (await tx.conn.execute(query)).scalars()]


async def count_by_state(tx: Tx) -> dict[AlertState, int]:
    """The number of alerts in each state."""
    rows = await tx.conn.execute(sa.select(alert.c.state, sa.func.count()).group_by(alert.c.state))
    return dict.fromkeys(AlertState, 0) | {AlertState(state): number for state, number in rows}


async def add_event(tx: Tx, new: Event) -> int | None:
    """Add an entry to an alert's timeline; returns its id, or None if the alert has an entry with its `once`."""
    values = {
        "repository_id": new.alert.repository_id,
        "alert_number": new.alert.number,
        "kind": new.kind,
        "at": new.at,
        "by": json_documents.document(new.by),
        "details": dict(new.details),
        "once": new.once,
    }
    names = [timeline.c.repository_id, timeline.c.alert_number, timeline.c.once]
    query = tx.insert(timeline).values(values).on_conflict_do_nothing(index_elements=names)
    added: int | None = await tx.conn.scalar(query.returning(timeline.c.id))
    return added


async def add_events(tx: Tx, new: Iterable[Event]) -> list[Event]:
    """Add entries to timelines; returns those that were not there before, with their ids."""
    added = []
    for event in new:
        number = await add_event(tx, event)
        if number is not None:
            added.append(replace(event, id=number))
    return added


async def events(tx: Tx, key: AlertKey, limit: int = 200) -> list[Event]:
    """The newest `limit` entries of an alert's timeline, in the order they were added."""
    of_alert = sa.and_(timeline.c.repository_id == key.repository_id, timeline.c.alert_number == key.number)
    query = sa.select(timeline).where(of_alert).order_by(timeline.c.id.desc()).limit(limit)
    return [_event(row) for row in reversed((await tx.conn.execute(query)).all())]


async def events_of_kind(tx: Tx, key: AlertKey, *kinds: EventKind) -> list[Event]:
    """All entries of these kinds in an alert's timeline, oldest first."""
    of_alert = sa.and_(timeline.c.repository_id == key.repository_id, timeline.c.alert_number == key.number)
    query = sa.select(timeline).where(of_alert, timeline.c.kind.in_(kinds)).order_by(timeline.c.id)
    return [_event(row) for row in await tx.conn.execute(query)]


async def event(tx: Tx, event_id: int) -> Event | None:
    """One entry of a timeline, or None."""
    row = (await tx.conn.execute(sa.select(timeline).where(timeline.c.id == event_id))).one_or_none()
    return None if row is None else _event(row)


def _is(key: AlertKey) -> sa.ColumnElement[bool]:
    return sa.and_(alert.c.repository_id == key.repository_id, alert.c.number == key.number)


async def _load(tx: Tx, query: sa.Select[*tuple[Any, ...]]) -> Alert | None:
    row = (await tx.conn.execute(query)).one_or_none()
    return None if row is None else record(row)


def _values(record: Alert) -> dict[str, object]:
    taken_by = record.taken_by or Person()
    return {
        **{name: getattr(record, name) for name in _PLAIN},
        "repository_id": record.key.repository_id,
        "number": record.key.number,
        "state": record.state,
        **_account("resolved_by", record.resolved_by),
        **_account("assigned_to", record.assigned_to),
        **_account("assigned_by_us", record.assigned_by_us),
        **_account("taken_by", taken_by.github),
        "taken_by_team": taken_by.slack_team,
        "taken_by_user": taken_by.slack_user,
        "place": json_documents.document(record.place),
        "token": json_documents.document(record.token),
        "probe": json_documents.document(record.probe),
        "report": json_documents.document(record.report),
        "acted_by": json_documents.document(record.acted_by),
    }


def _account(column: str, account: Account | None) -> dict[str, object]:
    return {f"{column}_id": account and account.id, f"{column}_login": account and account.login}


def record(row: Row) -> Alert:
    """The alert in a row of the table."""
    return Alert(
        key=AlertKey(RepositoryId(row.repository_id), AlertNumber(row.number)),
        state=AlertState(row.state),
        resolved_by=json_documents.account(row.resolved_by_id, row.resolved_by_login),
        assigned_to=json_documents.account(row.assigned_to_id, row.assigned_to_login),
        assigned_by_us=json_documents.account(row.assigned_by_us_id, row.assigned_by_us_login),
        taken_by=_taken_by(row),
        place=json_documents.location(row.place),
        token=json_documents.token_facts(row.token),
        probe=json_documents.probe(row.probe),
        report=json_documents.report(row.report),
        acted_by=json_documents.person(row.acted_by),
        **{name: getattr(row, name) for name in _PLAIN},
    )


def _taken_by(row: Row) -> Person | None:
    team = None if row.taken_by_team is None else SlackTeamId(row.taken_by_team)
    user = None if row.taken_by_user is None else SlackUserId(row.taken_by_user)
    somebody = Person(team, user, json_documents.account(row.taken_by_id, row.taken_by_login))
    return None if somebody == Person() else somebody


def _event(row: Row) -> Event:
    return Event(
        alert=AlertKey(RepositoryId(row.repository_id), AlertNumber(row.alert_number)),
        kind=EventKind(row.kind),
        at=row.at,
        by=json_documents.person(row.by),
        details=row.details,
        once=row.once,
        id=row.id,
    )
