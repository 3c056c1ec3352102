"""What a search came to, in the form each reader wants: terminal, JSON, JUnit, Markdown, one HTML page."""
