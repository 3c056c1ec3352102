"""Requests that are handed on without being remembered: definitions, remote config, ingestion, assets."""
