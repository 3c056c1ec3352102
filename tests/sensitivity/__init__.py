"""How sensitive the search is: faults planted in copies of the reference, and an unspoilt copy."""
