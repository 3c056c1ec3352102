"""Response shapes of `/flags` and `/decide`: the only place where they live (flags-service.md 3)."""
