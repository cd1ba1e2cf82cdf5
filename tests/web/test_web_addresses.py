"""Where a request comes from, as it is counted."""

import pytest
from django.test import RequestFactory

from visualizer.addresses import address_of, key


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("nonsense", "unknown"),
        ("", "unknown"),
    ],
)
def test_addresses_are_counted_by_who_may_have_them(address, counted):
    assert key(address) == counted
    assert address_of(RequestFactory().get("/", REMOTE_ADDR=address)) == counted


@pytest.mark.parametrize(
    ("proxies", "passed", "counted"),
    [
        (0, "6.6.6.6, 192.0.2.7", "127.0.0.1"),
        (1, "6.6.6.6, 192.0.2.7", "192.0.2.7"),
        (2, "6.6.6.6, 192.0.2.7, 10.0.0.1", "192.0.2.7"),
        (2, "192.0.2.7", "unknown"),
        (1, "", "unknown"),
    ],
)
def test_a_forwarded_address_is_believed_as_far_as_the_settings_say(settings, proxies, passed, counted):
    settings.PROXIES = proxies
    request = RequestFactory().get("/", REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR=passed)
    assert address_of(request) == counted
