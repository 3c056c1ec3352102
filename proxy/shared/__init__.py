"""Redis, as one process uses it: connecting, staying out of its way while it is away, and seals on what is put there."""
