"""What is counted, where the counts live, and how they are shown."""
