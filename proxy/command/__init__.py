"""The commands of `flags-proxy`: what a person types, and what is said back. Imports of a command happen when it is chosen."""
