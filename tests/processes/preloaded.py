"""What the process from which commands are forked imports beforehand."""

import aiosqlite
import alembic.util.exc
import asyncpg
import sqlalchemy.dialects.postgresql.asyncpg
import sqlalchemy.dialects.sqlite.aiosqlite

import bot.cli.main
import bot.cli.serve
import storage.migrations.upgrade

__all__ = ["aiosqlite", "alembic", "asyncpg", "bot", "sqlalchemy", "storage"]
