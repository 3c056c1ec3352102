"""Flags that answers lack: against what that is held, since when, and which of them are believed to be gone."""
