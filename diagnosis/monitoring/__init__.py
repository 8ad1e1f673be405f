"""Whether the network still does in the clinic what its release says."""
