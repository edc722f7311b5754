"""Alerts as GitHub shows them: deliveries, sync, installations, assignees, rechecks."""
