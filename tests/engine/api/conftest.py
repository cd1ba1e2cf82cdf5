"""Properties are tried with the same examples everywhere, and never fail for being slow on a busy machine."""

from hypothesis import settings

settings.register_profile("glassplane", deadline=None, derandomize=True)
settings.load_profile("glassplane")
