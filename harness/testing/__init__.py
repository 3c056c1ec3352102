"""The harness inside somebody's pytest run."""
