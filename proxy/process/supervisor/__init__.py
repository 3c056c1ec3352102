"""The supervisor: what must exist once in an instance, and the fan-out to its workers. No request passes through it."""
