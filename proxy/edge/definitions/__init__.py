"""The definitions endpoint for SDKs: answered from the set held, to callers whose key upstream accepted."""
