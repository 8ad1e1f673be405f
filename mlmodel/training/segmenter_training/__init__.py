"""Training of the network that segments the lesion."""
