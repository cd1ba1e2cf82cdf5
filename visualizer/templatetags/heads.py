"""What a page's head says twice: to browsers and search engines, and to whoever shows a link to it (Open Graph).

{% titled %}{% block title %}Rooms{% endblock %}{% endtitled %}
"""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_block_tag
def titled(content: str) -> SafeString:
    """The page's title."""
    words = _one_line(content)
    return format_html('<title>{}</title>\n  <meta property="og:title" content="{}">', words, words)


@register.simple_block_tag
def described(content: str) -> SafeString:
    """What the page is, in a sentence or two."""
    words = _one_line(content)
    return format_html(
        '<meta name="description" content="{}">\n  <meta property="og:description" content="{}">', words, words
    )


def _one_line(content: str) -> SafeString:
    return SafeString(" ".join(content.split()).replace('"', "&quot;"))  # what a template has rendered is escaped
