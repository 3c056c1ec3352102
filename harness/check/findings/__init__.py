"""From a difference to a finding: made small, explained, and without a value of the project's."""
