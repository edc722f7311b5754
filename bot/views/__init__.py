"""Pure functions that turn facts into Block Kit messages and modals."""
