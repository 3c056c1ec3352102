"""PostHog's public sdk-test-harness protocol: our own adapter around a real SDK, and its command."""
