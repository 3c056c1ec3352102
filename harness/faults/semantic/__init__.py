"""The semantic layer: what the service says, changed on purpose."""
