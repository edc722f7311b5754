"""Reads DATABASE_URL: the kind of database, and the arguments for its driver."""

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
"""The values of `sslmode`; PostgreSQL's docs, "SSL Mode Descriptions"."""
# Parameters of libpq that asyncpg takes in a connection string.
LIBPQ = (
    *("sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword", "sslcrl", "sslnegotiation"),
    *("ssl_min_protocol_version", "ssl_max_protocol_version", "target_session_attrs", "passfile"),
)
_SERVER = ("application_name", "options")
_NUMBERS = ("connect_timeout", "statement_cache_size", "prepared_statement_cache_size")
_PLACE = ("host", "port", "user", "password")
# Parameters of libpq that asyncpg does not have, and their values that can be ignored.
_IGNORED = {"channel_binding": ("prefer", "disable"), "gssencmode": ("prefer", "disable")}
POSTGRESQL = (*LIBPQ, "ssl", *_SERVER, *_NUMBERS, *_PLACE, *_IGNORED)
_FILES = ("sslrootcert", "sslcrl")


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """A URL for the driver, and arguments for its `connect`."""

    url: sa.URL = field(repr=False)
    arguments: Mapping[str, Any] = field(repr=False, default_factory=dict)


def read_url(text: str) -> DatabaseUrl:
    """Split the URL's parameters from the URL. Raises ValueError, whose text shows no value of the URL.

    The text follows the setting's name: "has a parameter sslmod that Stanch does not know: did you mean sslmode?".
    """
    starts = [f"{driver}://" for driver in DRIVERS]
    if not text.startswith(tuple(starts)):
        raise ValueError(f"must start with {' or '.join(starts)}")
    if text.startswith(starts[1]) and text.count("@") > 1:
        # The password would end at the first @, and its rest would be shown as part of the host's name.
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
    for name, harmless in _IGNORED.items():
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
    """The arguments for TLS; `ssl` is SQLAlchemy's name for `sslmode`."""
    libpq = {name: given[name] for name in LIBPQ if name in given}
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
