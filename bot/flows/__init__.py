"""The steps that requests, jobs and commands share, in rooms by subject."""
