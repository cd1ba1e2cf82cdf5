"""kubectl: what the real one prints, over the requests that the real one sends."""
