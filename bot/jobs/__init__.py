"""Durable work: the worker, the table of job handlers, housekeeping."""
