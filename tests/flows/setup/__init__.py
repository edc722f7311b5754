"""The set-up: its page, its files, and its steps."""
