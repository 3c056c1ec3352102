"""What talks to the flag service: exchange, breaker, admission."""
