"""What the orchestrator speaks: an open loop of flags requests, and JSON calls to the control endpoint."""
