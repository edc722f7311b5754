"""Search: the database finds the alerts that match by `rules.filter_match`, in order, page by page."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.rules.filter_match import matches
from bot.rules.filters import parse_filter
from storage import alerts, repositories, search
from storage.clock import Clock
from storage.db import Database, Tx
from storage.filter import Filter, FoundAlert, PagePosition, Qualifier, Sort, Term, fold, hyphened
from storage.migrations.upgrade import config
from storage.records import Account, Alert, AlertState, GitHubId, Person, Repository, SecretLocation
from storage.search import Scope, Search
from storage.tables import alert as alert_table
from storage.tables import event as event_table
from storage.tables import repository as repository_table
from tests.storage.examples import ANA, BEN, key, plain_alert, repository

HOMES = [
    replace(repository(1, "octo/payments"), owner=Account(GitHubId(100), "octo")),
    replace(repository(2, "Octo/Web_100%"), owner=Account(GitHubId(100), "octo")),
    replace(repository(3, "acme/İ-payments"), owner=Account(GitHubId(101), "Acme")),
]
EVERYTHING = Scope(ANA.id, owners=[GitHubId(100), GitHubId(101)])
NAMES = st.sampled_from(["GitHub Token", "a_b%c", "AWS Key", "Schlüssel Ä", "%", "\\"])
PEOPLE = st.sampled_from([None, ANA, BEN])


@st.composite
def stored(draw: st.DrawFn, number: int) -> Alert:
    """An alert with any value in each field that a filter can compare."""
    taken = draw(PEOPLE)
    return replace(
        plain_alert(number, draw(st.sampled_from([1, 2, 3]))),
        secret_type=draw(st.sampled_from(["github_pat", "GitHub_PAT", "aws_key"])),
        secret_type_name=draw(NAMES),
        provider=draw(st.sampled_from([None, "GitHub", "Amazon Web_Services"])),
        state=draw(st.sampled_from(AlertState)),
        resolution=draw(st.sampled_from([None, "revoked", "wont_fix", "a new-word"])),
        validity=draw(st.sampled_from(["active", "inactive", "unknown", "new"])),
        publicly_leaked=draw(st.booleans()),
        multi_repo=draw(st.booleans()),
        bypassed=draw(st.booleans()),
        place=draw(
            st.sampled_from(
                [
                    None,
                    SecretLocation("commit"),
                    SecretLocation("commit", "src/100%_Ä.py"),
                    SecretLocation("wiki", "b"),
                ]
            )
        ),
        assigned_to=draw(PEOPLE),
        taken_by=Person(github=taken) if taken else None,
        created_at=draw(st.sampled_from([0.0, -1800.0, -43_200.5, -604_800.0])),
        updated_at=draw(st.sampled_from([1000.0, 1000.25])),
    )


VALUES: dict[Qualifier, Sequence[str]] = {
    Qualifier.IS: ["open", "closed", "publicly-leaked", "multi-repository"],
    Qualifier.VALIDITY: ["active", "inactive", "unknown"],
    Qualifier.SECRET_TYPE: ["github_pat", "aws_key", "schlüssel Ä", "github token", "x"],
    Qualifier.PROVIDER: ["github", "amazon-web-services", "x"],
    Qualifier.RESOLUTION: ["revoked", "wont-fix", "pattern-edited"],
    Qualifier.BYPASSED: ["true", "false"],
    Qualifier.REPO: ["octo/payments", "octo/web_100%", "acme/İ-payments", "octo/none"],
    Qualifier.ORG: ["octo", "acme", "x"],
    Qualifier.ASSIGNEE: ["@me", "none", "ana", "ben", "x"],
    Qualifier.OLDER: ["30m", "12h", "7d", "0m"],
    Qualifier.TEXT: ["%", "_", "\\", "/", "100%", "pay", "ä", "Ä", "i", "İ", "b%c", "git"],
}


@st.composite
def terms(draw: st.DrawFn) -> Term:
    word = draw(st.sampled_from(list(Qualifier)))
    most = 1 if word in (Qualifier.TEXT, Qualifier.OLDER) else 3
    values = draw(st.lists(st.sampled_from(VALUES[word]), min_size=1, max_size=most, unique=True))
    return Term(word, tuple(sorted(fold(value) for value in values)), draw(st.booleans()))


FILTERS = st.builds(Filter, st.lists(terms(), max_size=3).map(tuple), st.sampled_from(Sort))
WORLDS = st.integers(0, 8).flatmap(lambda size: st.tuples(*(stored(number + 1) for number in range(size))))


async def settle(tx: Tx, world: Sequence[Alert]) -> None:
    """Replace all rows by these alerts and repositories."""
    for table in (event_table, alert_table, repository_table):
        await tx.conn.execute(sa.delete(table))
    for home in HOMES:
        await repositories.save_repository(tx, home)
    for one in world:
        await alerts.insert(tx, one)


def ordered(found: Sequence[Alert], sort: Sort) -> list[Alert]:
    def place(one: Alert) -> tuple[float, int, int]:
        return one.updated_at if sort.by_update else one.created_at, one.key.repository_id, one.key.number

    return sorted(found, key=place, reverse=sort.descending)


def home(one: Alert) -> Repository:
    return next(found for found in HOMES if found.id == one.key.repository_id)


async def find(
    tx: Tx,
    looked: Search,
    limit: int,
    *,
    after: PagePosition | None = None,
    before: PagePosition | None = None,
) -> list[FoundAlert]:
    """A page of alerts."""
    return await search.load(tx, await search.positions(tx, looked, limit, after=after, before=before))


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(world=WORLDS, wanted=FILTERS, size=st.integers(1, 4))
@example(world=(), wanted=Filter(), size=1)
async def test_the_database_finds_what_the_rules_match(
    db: Database, world: tuple[Alert, ...], wanted: Filter, size: int
) -> None:
    """In the order of the filter; pages forwards and backwards leave none out."""
    async with db.begin() as tx:
        world = tuple(replace(one, created_at=tx.now + one.created_at) for one in world)
        await settle(tx, world)
    async with db.read() as tx:
        now, looked = tx.now, Search(wanted, await search.reach(tx, EVERYTHING))
        expected = ordered(
            [one for one in world if matches(wanted, one, home(one), now, ANA.id)], wanted.sort
        )
        assert await search.count(tx, looked) == len(expected)
        forwards: list[FoundAlert] = []
        page = await find(tx, looked, size)
        while page:
            forwards += page
            page = await find(tx, looked, size, after=page[-1].position(wanted.sort))
        assert [one.alert for one in forwards] == expected
        assert all(one.repository == home(one.alert) for one in forwards)
        backwards: list[FoundAlert] = []
        page = await search.load(tx, await search.last_positions(tx, looked, size))
        while page:
            backwards = page + backwards
            page = await find(tx, looked, size, before=page[0].position(wanted.sort))
        assert [one.alert for one in backwards] == expected


def test_every_qualifier_and_value_is_tried() -> None:
    for word, values in VALUES.items():
        for value in values:
            written = str(Term(word, (fold(value),)))
            assert parse_filter(written).terms == (Term(word, (fold(value),)),)
    assert set(VALUES) == set(Qualifier)
    assert hyphened("Amazon Web_Services") == "amazon-web-services"


async def test_only_alerts_in_the_scope_are_found_and_counted(db: Database) -> None:
    world = [replace(plain_alert(number, 1 + number % 3), created_at=number) for number in range(1, 10)]
    world[0] = replace(world[0], assigned_to=ANA)
    async with db.begin() as tx:
        await settle(tx, world)

    async def numbers(scope: Scope) -> list[int]:
        async with db.read() as tx:
            looked = Search(Filter(sort=Sort.CREATED_ASC), await search.reach(tx, scope))
            found = [int(one.alert.key.number) for one in await find(tx, looked, 20)]
            assert await search.count(tx, looked) == len(found)
        return found

    one, two, three = (home.id for home in HOMES)
    assert await numbers(Scope(BEN.id)) == []
    assert await numbers(Scope(ANA.id)) == [1]
    assert await numbers(Scope(BEN.id, seen=[one])) == [3, 6, 9]
    assert await numbers(Scope(BEN.id, owners=[GitHubId(101)])) == [2, 5, 8]
    assert await numbers(Scope(ANA.id, unseen=[two], guesses=True)) == [1, 2, 3, 5, 6, 8, 9]
    async with db.read() as tx:
        reach = await search.reach(tx, Scope(ANA.id, seen=[one], unseen=[two]))
        assert await search.has_unknown_rights(tx, Search(Filter(), reach))
        known = Scope(ANA.id, seen=[one, three], unseen=[two])
        assert not await search.has_unknown_rights(tx, Search(Filter(), await search.reach(tx, known)))
    assert await numbers(known) == [1, 2, 3, 5, 6, 8, 9]


STRANGE = "src/\0odd\ud83d/\\u0000/😀.py"
READABLE = "src/odd?/\\u0000/😀.py"


async def found_paths(db: Database, text: str) -> list[str | None]:
    """The paths of the alerts that a search for the text finds."""
    wanted = Filter((Term(Qualifier.TEXT, (text,)),))
    async with db.read() as tx:
        found = await find(tx, Search(wanted, await search.reach(tx, EVERYTHING)), 20)
    return [one.alert.place.path if one.alert.place else None for one in found]


@pytest.mark.parametrize("text", ["web_100%", "github", "upper.py"])
async def test_letters_are_found_in_any_case(db: Database, text: str) -> None:
    """In the repository's name, the secret type's, and the path."""
    place = SecretLocation("commit", "src/UPPER.py")
    async with db.begin() as tx:
        await settle(tx, [replace(plain_alert(1, 2), secret_type_name="GitHub Token", place=place)])
    assert await found_paths(db, text) == ["src/UPPER.py"]


async def test_an_alert_that_somebody_took_or_is_assigned_to_has_an_assignee(db: Database) -> None:
    one, two, three = (plain_alert(number, 1) for number in (1, 2, 3))
    async with db.begin() as tx:
        world = [one, replace(two, assigned_to=ANA), replace(three, taken_by=Person(github=BEN))]
        await settle(tx, world)
    async with db.read() as tx:
        wanted = Filter((Term(Qualifier.ASSIGNEE, ("none",)),))
        found = await find(tx, Search(wanted, await search.reach(tx, EVERYTHING)), 20)
    assert [match.alert.key for match in found] == [one.key]


async def test_a_location_that_is_not_storable_breaks_no_search(db: Database) -> None:
    async with db.begin() as tx:
        await settle(tx, [replace(plain_alert(1, 1), place=SecretLocation("commit", STRANGE))])
    assert await found_paths(db, "odd?") == [READABLE]
    assert await found_paths(db, "elsewhere") == []


async def test_such_a_location_stored_by_0_1_0_breaks_no_search(
    empty_database_url: str, clock: Clock
) -> None:
    db = Database(empty_database_url, clock=clock)
    place = json.dumps({"kind": "commit", "path": STRANGE})
    async with db.begin() as tx:
        await tx.conn.run_sync(lambda conn: command.upgrade(config(conn), "0001"))
        await tx.conn.run_sync(_insert_as_before, place)
    await db.migrate()
    async with db.begin() as tx:
        for one in HOMES:
            await repositories.save_repository(tx, one)
    assert await found_paths(db, "odd?") == [READABLE]
    assert await found_paths(db, "elsewhere") == []
    await db.close()


async def insert_many(tx: Tx, number: int) -> None:
    """Insert alerts with the numbers 1 to `number`, each a second newer than the one before."""
    await settle(tx, [plain_alert(1, 1, created_at=1.0)])
    numbers = sa.select(sa.literal(2).label("number")).cte("numbers", recursive=True)
    numbers = numbers.union_all(sa.select(numbers.c.number + 1).where(numbers.c.number < number))
    copied: dict[str, Any] = {column.name: column for column in alert_table.c}
    copied |= {"number": numbers.c.number, "created_at": numbers.c.number}
    rows = sa.select(*copied.values()).select_from(alert_table.join(numbers, sa.true()))
    await tx.conn.execute(sa.insert(alert_table).from_select(list(copied), rows))


@pytest.mark.parametrize("sort", [Sort.CREATED_DESC, Sort.CREATED_ASC])
async def test_a_text_is_found_among_many_alerts_wherever_it_is(db: Database, sort: Sort) -> None:
    """PostgreSQL looks at the first ones in the order by themselves."""
    many = search.FIRST_READ + 10
    last = 1 if sort.descending else many
    async with db.begin() as tx:
        await insert_many(tx, many)
        rare = sa.update(alert_table).where(alert_table.c.number.in_([last, many // 2]))
        await tx.conn.execute(rare.values(secret_type_name="Rare"))

        async def numbers(text: str, limit: int, **where: PagePosition) -> list[int]:
            wanted = Filter((Term(Qualifier.TEXT, (text,)),), sort)
            looked = Search(wanted, await search.reach(tx, EVERYTHING))
            return [int(at.key.number) for at in await search.positions(tx, looked, limit, **where)]

        in_order = range(many, 0, -1) if sort.descending else range(1, many + 1)
        usual = [number for number in in_order if number not in (last, many // 2)]
        assert await numbers("github", 3) == usual[:3]
        assert await numbers("github", many) == usual
        assert await numbers("rare", 1) == [many // 2]
        assert await numbers("rare", 2) == [many // 2, last]
        start, end = (PagePosition(float(number), key(number, 1)) for number in (in_order[0], last))
        assert await numbers("github", 3, before=end) == usual[-3:]
        assert await numbers("rare", 3, before=end) == [many // 2]
        assert await numbers("rare", 3, after=start) == [many // 2, last]


def _insert_as_before(conn: sa.Connection, place: str) -> None:
    """Insert an alert as 0.1.0 does, with that location."""
    table = sa.Table("alert", sa.MetaData(), autoload_with=conn)
    texts = ("html_url", "secret_type", "secret_type_name", "category", "validity")
    flags = ("publicly_leaked", "multi_repo", "base64_encoded", "bypassed", "has_more_places", "detailed")
    values: dict[str, object] = {"repository_id": 1, "number": 1, "state": "open", "token": {}}
    values |= dict.fromkeys(texts, "x") | dict.fromkeys((*flags, "validity_written"), False)
    values |= dict.fromkeys(("created_at", "updated_at", "first_seen_at"), 1.0)
    conn.execute(sa.insert(table).values(values))
    as_json = ":place" if conn.dialect.name == "sqlite" else "CAST(:place AS JSON)"
    conn.execute(sa.text(f"UPDATE alert SET place = {as_json}"), {"place": place})


TYPED = ["is:open", "is:open assignee:@me", "is:open repo:octo/payments", "validity:active"]
SCOPES = [EVERYTHING, Scope(ANA.id, seen=[HOMES[0].id]), Scope(ANA.id, unseen=[HOMES[0].id], guesses=True)]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("typed", TYPED)
@pytest.mark.parametrize("scope", SCOPES)
async def test_no_look_up_reads_every_alert(db: Database, typed: str, scope: Scope) -> None:
    """Where SQLite scans the table, a page takes a second with a million alerts."""
    async with db.begin() as tx:
        await settle(tx, [plain_alert(1, 1), plain_alert(1, 2)])
    run: list[tuple[str, Any]] = []

    def note(conn: object, cursor: object, statement: str, values: Any, *more: object) -> None:
        run.append((statement, values))

    async with db.read() as tx:
        sa.event.listen(tx.conn.sync_connection, "before_cursor_execute", note)
        looked = Search(parse_filter(typed), await search.reach(tx, scope))
        await find(tx, looked, 11)
        await search.has_unknown_rights(tx, looked)
        await alerts.versions(tx, [key(1, 1), key(2, 1)])
        plans = [
            str(row[-1])
            for statement, values in tuple(run)
            for row in await tx.conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]
    assert any("alert USING" in line for line in plans)
    assert [line for line in plans if line.startswith("SCAN alert") and "USING" not in line] == []
