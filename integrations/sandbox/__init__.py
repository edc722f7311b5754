"""Stand-ins for Slack and GitHub, for tests and the demo."""
