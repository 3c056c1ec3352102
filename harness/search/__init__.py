"""Looking for causes of disagreement: written probes, put to a panel, shrunk, told apart, kept."""
