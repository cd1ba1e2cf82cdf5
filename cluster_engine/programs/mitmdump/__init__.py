"""mitmdump: a proxy that ends TLS on both sides, and so has the plaintext."""
