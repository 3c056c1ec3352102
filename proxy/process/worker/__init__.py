"""One worker: the line behind its listeners, and its side of the conversation with the supervisor."""
