"""Configuration: TOML and environment read once into frozen settings, each value with its origin."""
