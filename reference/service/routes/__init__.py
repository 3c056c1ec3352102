"""What each path answers: plain functions from a `Call` to a `Reply`."""
