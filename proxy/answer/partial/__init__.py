"""What becomes of single flags that upstream could not say: filled from elsewhere, given a configured value, or left out."""
