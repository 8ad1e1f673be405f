"""Training of the network that draws the lesion's outline."""
