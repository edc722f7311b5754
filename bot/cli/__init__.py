"""The command line: what its commands share, and groups of commands."""
