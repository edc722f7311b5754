"""How it is logged: ids and outcomes as JSON or text, tracebacks without the values in their frames."""

import logging
import sys
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from bot.rules.masking import mask

OURS = ("bot", "integrations", "storage")
"""Whose events are wanted at every level. Libraries quote bodies, parameters and frames below WARNING."""
SHORTEST = 8
"""Characters of the shortest text that could hold a secret."""


def set_up_logging(level: str, style: Literal["json", "text"]) -> None:
    """Send our own events, and the warnings and errors of libraries, to standard error in one form."""
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # A frame's locals may be a secret: only where it happened is written.
        structlog.processors.ExceptionRenderer(
            structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        )
        if style == "json"
        else structlog.processors.format_exc_info,
    ]
    rendered: Processor = (
        structlog.processors.JSONRenderer()
        if style == "json"
        else structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(number),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _mask_event, rendered],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(number, logging.WARNING))
    for name in OURS:
        logging.getLogger(name).setLevel(number)


def _mask_event(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Blank whatever has the shape of a secret: exceptions of libraries quote what they could not handle."""
    return {name: _masked(value) for name, value in event.items()}


def _masked(value: object) -> object:
    if isinstance(value, str):
        # Values beside names like `token` stay, since the source lines of a traceback are full of them.
        return mask(value, by_name=False) if len(value) >= SHORTEST else value
    if isinstance(value, dict):
        return {name: _masked(item) for name, item in value.items()}
    return [_masked(item) for item in value] if isinstance(value, list | tuple) else value
