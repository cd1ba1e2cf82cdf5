"""Short texts that mark what is typed or read with backticks, as the page's own words do."""

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def coded(text: str) -> SafeString:
    """Set what stands between backticks as code."""
    pieces = text.split("`")
    return format_html_join("", "{}", ((_piece(n, piece),) for n, piece in enumerate(pieces)))


def _piece(n: int, text: str) -> str:
    return format_html("<code>{}</code>", text) if n % 2 else text
