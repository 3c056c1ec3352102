"""The embedded flag service: the reference evaluator behind PostHog's HTTP face (contract §1 to §4), the one fake there is.

In a test: `build(load_catalogue(file_bytes), clock=…, new_id=…)` from `.app` and `.project.project` gives an aiohttp
application. As a process: `python -m reference.service --definitions FILE --port 0`. The file format is in README.md.
"""
