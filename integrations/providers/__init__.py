"""Token providers: one file each that knows how to ask whether a leaked token still works."""
