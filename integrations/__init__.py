"""Integrations hear and speak: GitHub, Slack, token providers, and stand-ins for them."""
