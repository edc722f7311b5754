"""Checks an installation without changing anything: what `stanch doctor` and `/leaks doctor` report."""
