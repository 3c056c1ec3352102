"""From the supervisor to a collector: OTLP over HTTP, in a thread of its own, bounded in bytes, and never in anybody's way."""
