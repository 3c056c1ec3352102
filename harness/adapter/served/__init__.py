"""The adapter's process. It runs in the SDK's environment: the standard library and the SDK are all it imports."""
