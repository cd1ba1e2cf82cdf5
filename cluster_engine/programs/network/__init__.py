"""Programs that look at the network and speak over it: ss, ip, ping, nc, dig, …

A short way into dnspython (docs/decisions/0009): when `dns.name` is loaded it asks the metadata of all installed
packages whether a new enough `idna` is among them, which takes a third of dig's first 40 ms of CPU. Here it is told,
and the lock files see to the version. Its other features (DNSSEC, DNS over HTTPS, …) nobody here asks for.
"""

import importlib.util
import sys
from types import ModuleType

import dns


def have(feature: str) -> bool:
    """Return whether a feature of dnspython's is there, as `dns._features.have`."""
    return feature == "idna" and importlib.util.find_spec("idna") is not None


if "dns._features" not in sys.modules:
    features = sys.modules["dns._features"] = ModuleType("dns._features")
    vars(features)["have"] = have
    vars(dns)["_features"] = features
