"""What the SDK tests stand on: the real service and the real proxy as processes, a tap between, and the SDKs' drivers."""
