"""Talks to GitHub and Slack; also holds the sandbox, which stands in for both."""
