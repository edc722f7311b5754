"""Sets up logging: JSON or text on standard error, tracebacks without local variables, secrets masked."""

import logging
import sys
from typing import Literal

import structlog
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestPayloadError
from structlog.typing import EventDict, Processor, WrappedLogger

from bot.rules.masking import mask
from storage.records import TRACE

OURS = ("bot", "integrations", "storage")
"""Packages that log at the chosen level. Libraries log from WARNING on: below they quote bodies and parameters."""
BAD_HTTP_EVERY = 60.0
"""Seconds between two log lines about requests that are no usable HTTP, of one kind."""
SHORTEST = 8
"""Characters; a shorter text is too short for a secret."""


def set_up_logging(level: str, style: Literal["json", "text"]) -> None:
    """Log our own events, and the warnings and errors of libraries, to standard error in one format."""
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _add_trace,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # A local variable may be a secret, so tracebacks show only places in the code.
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
    logging.getLogger("aiohttp.server").filters[:] = [_BadHttp()]


class _BadHttp(logging.Filter):
    """Logs requests that are no usable HTTP without a traceback, and at most one a minute of each kind.

    Anybody on the network can send them, and aiohttp quotes their bytes.
    """

    def __init__(self) -> None:
        super().__init__()
        self._logged_at: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        is_bad_http = isinstance(error, HttpProcessingError) and error.code < 500
        if not is_bad_http and not isinstance(error, RequestPayloadError):
            return True
        kind = type(error).__name__
        if record.created - self._logged_at.get(kind, 0.0) < BAD_HTTP_EVERY:
            return False
        self._logged_at[kind] = record.created
        record.msg, record.args, record.exc_info = f"refused: {kind}", (), None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


def _add_trace(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Add the id of the delivery or request that is being handled."""
    trace = TRACE.get()
    return event if trace is None else {**event, "trace": trace}


def _mask_event(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Mask what looks like a secret: exceptions of libraries quote the values that they fail on."""
    return {name: _masked(value) for name, value in event.items()}


def _masked(value: object) -> object:
    if isinstance(value, str):
        # Not by the name before a value, such as `token`: source lines in tracebacks are full of such names.
        return mask(value, by_name=False) if len(value) >= SHORTEST else value
    if isinstance(value, dict):
        return {name: _masked(item) for name, item in value.items()}
    return [_masked(item) for item in value] if isinstance(value, list | tuple) else value
