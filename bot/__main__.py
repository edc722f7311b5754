"""Starts the command line."""

import gc
import sys
from importlib import import_module


def import_structlog() -> None:
    """Import structlog as if Rich were not installed.

    With Rich it would also load what draws tracebacks in colour, which Stanch never prints: 3 MB of memory. Rich can
    be imported afterwards, as typer does to draw the help.
    """
    if "structlog" not in sys.modules:
        sys.modules["rich"] = None  # type: ignore[assignment]  # Python takes None for a missing module.
        import_module("structlog")
        del sys.modules["rich"]


def main() -> None:
    """Import the command line, and run it."""
    # Imports make many objects and hardly any garbage: a start is a tenth shorter without the collector. What they
    # made lives as long as the process, so the collector need not look at it later either.
    gc.disable()
    import_structlog()
    from bot.cli.main import import_commands
    from bot.cli.main import main as run

    import_commands(sys.argv[1:])
    gc.freeze()
    gc.enable()
    run()


if __name__ == "__main__":
    main()
