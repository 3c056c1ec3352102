"""The network between caller and service, as a relay."""
