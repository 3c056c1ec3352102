"""What application code gets from a real SDK when the flag service fails, directly and through the proxy: played and kept."""
