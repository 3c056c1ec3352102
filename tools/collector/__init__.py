"""A real OpenTelemetry collector for tests: built from the Go module proxy, once, into `.lanes/collector/`."""
