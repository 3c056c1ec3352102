"""What is remembered of the upstream's answers."""
