"""Spans: made by hand in the worker for the few requests that are drawn, sent on in one piece each."""
