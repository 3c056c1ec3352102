"""What the flag endpoints need of HTTP, prepared once: whose request it is, what its head means, a response's bytes."""
