"""What supervisor and workers say to each other, and how it travels."""
