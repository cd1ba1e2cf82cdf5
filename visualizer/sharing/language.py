"""The language that an address asks for: a link is opened by people whose cookies say nothing yet."""

from django.conf import settings


def known(code: str) -> str:
    """The language of this code, if there is one; else nothing."""
    return code if code in dict(settings.LANGUAGES) else ""
