"""What can answer when upstream does not: each rung fills records, the ladder walks them in the policy's order."""
