"""What can be answered without asking upstream, and what of the things remembered still counts."""
