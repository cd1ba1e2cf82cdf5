"""Front proxies: whoever has ended TLS in between says by headers who asks, over a certificate that it alone can show.

    certificate  CN=front-proxy-client, of front-proxy-ca            the proxy, not the caller
    X-Remote-User: jane   X-Remote-Group: dev   X-Remote-Extra-Scopes: a      the caller: jane, of dev

The same headers from anybody else are nobody's word: they are taken for nothing, and the certificate or token decides.
So does the aggregation layer tell another API server who asks, and so can Envoy or any proxy be put before an API
server without everybody becoming system:anonymous.

Modelled on apiserver/pkg/authentication/request/headerrequest. Left out: X-Remote-Uid (alpha in 1.32), files that
change while the server runs.
"""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import unquote

from cluster_engine.apiserver.authentication.users import User, authenticated
from cluster_engine.apiserver.authentication.x509 import BadCertificate, ClientCertificates, Identity
from cluster_engine.apiserver.serving.exchange import Request


class FrontProxies:
    """Whom to believe, and in which headers it stands; names in any case. `allowed`: common names, none for all."""

    def __init__(
        self, ca: bytes, *, allowed: Sequence[str], users: Sequence[str], groups: Sequence[str], extras: Sequence[str]
    ) -> None:
        self._certificates = ClientCertificates(ca)
        self._allowed = frozenset(allowed)
        self._users, self._groups, self._extras = (
            [one.strip().lower() for one in each] for each in (users, groups, extras)
        )

    def user(self, request: Request, now: datetime) -> User | None:
        """Tell who asks, if a front proxy says so; the headers are taken off. BadCertificate where it is none."""
        name = next((value for one in self._users if (value := request.header(one))), "")
        if not name or not request.peer.certificates:
            return None
        self._check(request, now)
        headers = request.headers
        groups = tuple(value for one in self._groups for value in headers.get(one, ()) if value)
        extra = tuple(
            (unquote(key.removeprefix(prefix)), values)
            for prefix in self._extras
            for key, values in headers.items()
            if key.startswith(prefix)
        )
        for key in [key for key in headers if self._is_ours(key)]:
            del headers[key]
        return authenticated(name, groups=groups, extra=extra)

    def _is_ours(self, header: str) -> bool:
        return header in self._users or header in self._groups or header.startswith(tuple(self._extras))

    def _check(self, request: Request, now: datetime) -> None:
        """Look at the proxy's certificate, once for a connection."""
        memory = request.peer.memory
        known: Identity | None = memory.get("front-proxy")
        if known is None or not known.valid_from <= now <= known.valid_until:
            known = memory["front-proxy"] = self._certificates.identity(request.peer.certificates, now)
        if self._allowed and known.user.name not in self._allowed:
            raise BadCertificate(f"x509: subject with cn={known.user.name} is not in the allowed list")
