"""`flags-harness check`: a live project's answers against the reference, read-only, within a budget."""
