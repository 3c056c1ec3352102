"""People made for definitions that are given, and what the reference says about them as a server would."""
