"""Whoever answers flag questions: each a child process behind one line protocol, with limits on memory and time."""
