"""Acting on an alert: the case, the form, the action."""
