"""A pure evaluator of PostHog's feature-flag semantics: definitions × person → results.

It is the proxy's last resort and the harness's oracle. Where it is not sure it says *inconclusive* instead of guessing.
No clock, no randomness, no I/O, no logging: time and identity come in as arguments.
"""
