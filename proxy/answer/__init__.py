"""What decides: one straight line from a `FlagsRequest` to an `Answer`."""
