"""One poller a fleet: who asks upstream is a lease in Redis, what it accepts is posted there, the others take it from there."""
