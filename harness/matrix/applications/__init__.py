"""Applications with an SDK in them, one per language: programs of their own, run in the SDK's environment, never imported."""
