"""What operators order at run time (switches turned, breakers forced): kept by the supervisor, obeyed by every worker."""
