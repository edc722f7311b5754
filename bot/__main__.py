"""Starts the command line."""

import gc
import sys


def main() -> None:
    """Import the command line, and run it."""
    # Imports make many objects and hardly any garbage: a start is a tenth shorter without the collector. What they
    # made lives as long as the process, so the collector need not look at it later either.
    gc.disable()
    from bot.cli.main import import_commands
    from bot.cli.main import main as run

    import_commands(sys.argv[1:])
    gc.freeze()
    gc.enable()
    run()


if __name__ == "__main__":
    main()
