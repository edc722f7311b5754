"""Requests from outside: GitHub's webhooks, Slack's requests, Socket Mode, health and metrics."""
