"""How it is logged: ids and outcomes as JSON or text, tracebacks without the values in their frames."""

import logging
import sys
from typing import Literal

import structlog
from structlog.typing import Processor

QUIET = (
    # These log bodies, addresses or frames at INFO or DEBUG.
    "slack_bolt",
    "slack_sdk",
    "slack_bolt.RequestVerification",
    "aiohttp.access",
    "sqlalchemy.engine",
)


def set_up_logging(level: str, style: Literal["json", "text"]) -> None:
    """Send our own events and everybody else's to standard error, in one form."""
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
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, rendered],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
