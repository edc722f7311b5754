"""What people see, as pure functions that return Block Kit."""
