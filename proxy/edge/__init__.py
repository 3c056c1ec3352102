"""What touches HTTP on the client's side."""
