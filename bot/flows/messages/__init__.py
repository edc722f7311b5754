"""Slack messages of an alert: plan, draw, publish, backfill."""
