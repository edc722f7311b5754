"""Slack: Web API, block builders, request signatures and payloads."""
