"""What should steer the search: a measured comparison of ways to choose the next batch."""
