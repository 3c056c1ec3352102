"""What one client may cost: connections, time, bytes, file descriptors; and which requests are refused before any handler."""
