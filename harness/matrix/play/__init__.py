"""Plays the faults: a faulty service per route, real proxies, and an application with each SDK in it."""
