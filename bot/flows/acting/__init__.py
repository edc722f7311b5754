"""Acting on an alert: check the request, fill the form, perform the action or show details."""
