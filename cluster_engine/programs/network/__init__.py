"""Programs that show the network of a host and try it."""
