"""What the consistency suite costs: compared evaluations a second, and memory over a quarter of an hour."""
