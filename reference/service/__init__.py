"""The embedded flag service: a small real HTTP server on the reference evaluator, for tests and for `make run`."""
