"""Reads DATABASE_URL: which database, and what its parameters mean for the drivers."""

import difflib
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa

DRIVERS = ("sqlite+aiosqlite", "postgresql+asyncpg")
MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
"""What `sslmode` takes; PostgreSQL's docs, "SSL Mode Descriptions"."""
# Parameters of libpq that asyncpg reads from a connection string.
_LIBPQ = (
    *("sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword", "sslcrl", "sslnegotiation"),
    *("ssl_min_protocol_version", "ssl_max_protocol_version", "target_session_attrs", "passfile"),
)
_SERVER = ("application_name", "options")
_NUMBERS = ("connect_timeout", "statement_cache_size", "prepared_statement_cache_size")
_PLACE = ("host", "port", "user", "password")
# Parameters of libpq without a counterpart in asyncpg, and the values that ask for nothing that it lacks.
_WITHOUT = {"channel_binding": ("prefer", "disable"), "gssencmode": ("prefer", "disable")}
POSTGRESQL = (*_LIBPQ, "ssl", *_SERVER, *_NUMBERS, *_PLACE, *_WITHOUT)
_FILES = ("sslrootcert", "sslcrl")


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """A URL that a driver takes, and arguments for its `connect`."""

    url: sa.URL = field(repr=False)
    arguments: Mapping[str, Any] = field(repr=False, default_factory=dict)


def read_url(text: str) -> DatabaseUrl:
    """The URL without the parameters that are arguments; raises ValueError with what is wrong, without any value.

    The error follows the setting's name: "has no parameter sslmod: did you mean sslmode?".
    """
    starts = [f"{driver}://" for driver in DRIVERS]
    if not text.startswith(tuple(starts)):
        raise ValueError(f"must start with {' or '.join(starts)}")
    if text.startswith(starts[1]) and text.count("@") > 1:
        # The first @ would end the password, and its rest would be taken for the host's name and be shown.
        raise ValueError("has more than one @: write an @ in the user's name or the password as %40")
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        raise ValueError("is not a database address: check its host, port and slashes") from None
    given = {name: value if isinstance(value, str) else value[-1] for name, value in url.query.items()}
    return _sqlite(url, given) if url.drivername == DRIVERS[0] else _postgresql(url, given)


def _sqlite(url: sa.URL, given: Mapping[str, str]) -> DatabaseUrl:
    if url.database in (None, "", ":memory:"):
        raise ValueError("must name a file, as in sqlite+aiosqlite:///stanch.db")
    for name in given:
        if name != "timeout":
            raise ValueError(f"has a parameter {name[:40]}, and for SQLite there is only timeout: remove it")
    return DatabaseUrl(url.set(query={}), {name: _seconds(value) for name, value in given.items()})


def _postgresql(url: sa.URL, given: Mapping[str, str]) -> DatabaseUrl:
    for name in given:
        if name not in POSTGRESQL:
            near = difflib.get_close_matches(name, POSTGRESQL, n=1)
            advice = f"did you mean {near[0]}?" if near else "remove it"
            raise ValueError(f"has a parameter {name[:40]} that Stanch does not know: {advice}")
    for name, harmless in _WITHOUT.items():
        if given.get(name, harmless[0]) not in harmless:
            raise ValueError(f"asks for {name}, which Stanch's driver does not have: remove it")
    arguments: dict[str, Any] = {
        {"connect_timeout": "timeout"}.get(name, name): _number(name, given[name])
        for name in _NUMBERS
        if name in given
    }
    settings = {name: given[name] for name in _SERVER if name in given}
    if settings:
        arguments["server_settings"] = settings
    arguments |= _tls(given)
    place = {name: value for name, value in url.query.items() if name in _PLACE}
    return DatabaseUrl(url.set(query=place), arguments)


def _tls(given: Mapping[str, str]) -> dict[str, Any]:
    """`ssl` is SQLAlchemy's spelling of `sslmode`."""
    libpq = {name: given[name] for name in _LIBPQ if name in given}
    mode = given.get("sslmode", given.get("ssl"))
    if mode is not None:
        if mode not in MODES or given.get("ssl", mode) != mode:
            raise ValueError(f"must have sslmode with one of {', '.join(MODES)}, and no other ssl beside it")
        libpq["sslmode"] = mode
    if libpq.get("sslrootcert") == "system":
        if mode != "verify-full":
            raise ValueError("has sslrootcert=system, which needs sslmode=verify-full")
        return {"ssl": ssl.create_default_context()}
    _check_files(libpq)
    return {"dsn": f"postgresql:///?{urlencode(libpq)}"} if libpq else {}


def _check_files(libpq: Mapping[str, str]) -> None:
    context, name = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ""
    try:
        for name in _FILES:
            if name in libpq:
                context.load_verify_locations(libpq[name])
        name = "sslcert, or its sslkey or sslpassword,"
        if "sslcert" in libpq:
            context.load_cert_chain(libpq["sslcert"], libpq.get("sslkey"), libpq.get("sslpassword", ""))
    except (OSError, ValueError):
        raise ValueError(f"has {name} with a file that is not there or is no such PEM file") from None


def _number(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 7):
        raise ValueError(f"must have a whole number for {name}")
    return int(value)


def _seconds(value: str) -> float:
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", value):
        raise ValueError("must have a number of seconds for timeout")
    return float(value)
