"""What everybody's password is in these tests."""

PASSWORD = "a lamp beside the sea"
