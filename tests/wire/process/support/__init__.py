"""Real processes under test: an instance of the proxy, an upstream it asks, and callers that count what fails."""
