"""What may stand in a URL: parts with bounds, so that a number no column holds, or an id no row has, is a 404.

`<int:…>` of Django takes numbers of any length, `<str:…>` texts of any kind; the database then raises.

    path("clusters/<id:cluster>/entries/<number:seq>/", …)     /clusters/x/entries/18446744073709551616/ leads nowhere
"""

from django.urls import register_converter

from visualizer.json_bounds import NUMBER_MAX


class NumberPart:
    """A whole number from 0 to `NUMBER_MAX`."""

    regex = "[0-9]{1,16}"

    def to_python(self, text: str) -> int:
        """Read it. Raise ValueError when it is too large: then the URL leads nowhere."""
        number = int(text)
        if number > NUMBER_MAX:
            raise ValueError(text)
        return number

    def to_url(self, number: int) -> str:
        """Write it."""
        return str(number)


class IdPart:
    """An id as `secrets.token_urlsafe` makes them."""

    regex = "[A-Za-z0-9_-]{1,64}"

    def to_python(self, text: str) -> str:
        """Read it."""
        return text

    def to_url(self, text: str) -> str:
        """Write it."""
        return text


register_converter(NumberPart, "number")
register_converter(IdPart, "id")
