"""Which parsers there are: the one table from which `link` and `tls` have their connections read.

    ON_TCP["tls"](conversation)   -> Tls, which reads what is inside by IN_TLS["h2"] or IN_TLS["http/1.1"]

A protocol more is a module and a row here.
"""

from cluster_engine.lens.conversation import Conversation
from cluster_engine.lens.evidence import Headers
from cluster_engine.lens.exchange import Exchange, header
from cluster_engine.lens.grpc import GrpcExchange
from cluster_engine.lens.http1 import Http1
from cluster_engine.lens.http2 import Http2
from cluster_engine.lens.recognition import Parsers
from cluster_engine.lens.rest import RestExchange
from cluster_engine.lens.tls import Tls


def open_exchange(conversation: Conversation, stream: int | None, headers: Headers) -> Exchange:
    """Begin the exchange that these request headers open."""
    kind = GrpcExchange if header(headers, "content-type").startswith("application/grpc") else RestExchange
    return kind(conversation, stream, headers)


IN_TLS: Parsers = {
    "h2": lambda conversation: Http2(conversation, open_exchange),
    "http/1.1": lambda conversation: Http1(conversation, open_exchange),
}
ON_TCP: Parsers = {**IN_TLS, "tls": lambda conversation: Tls(conversation, IN_TLS)}
