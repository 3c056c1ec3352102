"""What can go wrong between a proxy and the flag service, as values, and the two places that play it: a layer and a relay."""
