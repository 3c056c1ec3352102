"""Load against a bare URL, from any machine: imports nobody, and only its Locust file imports Locust."""
