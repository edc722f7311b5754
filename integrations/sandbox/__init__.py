"""Slack and GitHub in miniature: the other side for the tests and the demo."""
