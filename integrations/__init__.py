"""Integrations hear and speak: GitHub, Slack, and stand-ins for them."""
