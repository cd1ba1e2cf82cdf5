"""How questions to clusters fail, in words for people."""

GONE = "This cluster does not run just now."
"""Of a cluster that has ended, or of one that may come back."""


class Refused(Exception):  # noqa: N818
    """A question cannot be answered; the text is for people."""


class NoAnswer(Refused):
    """Nothing was heard in time; what was asked may happen all the same."""


class Missing(Refused):
    """What was asked for does not exist."""
