"""A process that kills itself at a statement."""

import os
import signal

import sqlalchemy as sa
from sqlalchemy.engine import Engine


def kill_before(statement: str) -> None:
    """From now on, `kill -9` this process before it executes a statement that begins so."""

    @sa.event.listens_for(Engine, "before_cursor_execute")
    def kill(_connection: object, _cursor: object, executed: str, *_more: object) -> None:
        if executed.startswith(statement):
            os.kill(os.getpid(), signal.SIGKILL)
