"""The resilience proxy: an aiohttp service in front of PostHog's `/flags`.

It passes through when all is well, and keeps answering, from what it remembers, when the service does not. It never makes an
outage worse and never answers one tenant or user with another's flags.
"""
