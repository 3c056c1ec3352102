"""Layer and relay together on one stage, played by hand, by a script, or over a loopback control endpoint."""
