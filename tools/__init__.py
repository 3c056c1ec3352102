"""Tools of the repository: set-up, test lanes. Not part of the product."""
