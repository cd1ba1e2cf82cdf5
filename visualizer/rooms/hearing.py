"""placeholder."""


def begin() -> None:
    """Nothing yet."""
