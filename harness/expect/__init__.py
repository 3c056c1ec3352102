"""`flags-harness expect`: right answers for a made-up population, as a file for load runs."""
