"""Dates as OpenSSL prints them.

openssl_time(datetime(2026, 1, 5, 10, 0, tzinfo=UTC))       "Jan  5 10:00:00 2026 GMT"
"""

from datetime import datetime

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def openssl_time(moment: datetime) -> str:
    """Print a moment as ASN1_TIME_print(3) does."""
    return f"{MONTHS[moment.month - 1]} {moment.day:2d} {moment:%H:%M:%S} {moment.year} GMT"
