"""What is believed of what upstream says: a 200 that lacks flags, and a refusal of keys that worked a minute ago."""
