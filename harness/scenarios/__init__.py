"""Named scenarios as documents: what each outage is, what is owed to callers, and what holds today."""
