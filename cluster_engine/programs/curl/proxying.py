"""Proxies: which one an address is asked through, and the tunnel that CONNECT makes for TLS.

    -x 10.0.0.100:8080 http://10.0.0.1/     GET http://10.0.0.1/ HTTP/1.1     the proxy reads it, and asks
    -x 10.0.0.100:8080 https://10.0.0.1/    CONNECT 10.0.0.1:443 HTTP/1.1     then bytes both ways: TLS goes through

Without -x the environment says one: http_proxy (small letters only), https_proxy or HTTPS_PROXY, all_proxy or
ALL_PROXY. --noproxy, no_proxy or NO_PROXY name hosts that are asked directly: `*`, names and what ends in them,
addresses and their networks. Modelled on lib/url.c, lib/noproxy.c and lib/http_proxy.c. Left out: SOCKS, proxies that
speak TLS themselves, other authentication than Basic.
"""

import base64
import ipaddress
import re
from collections.abc import Callable, Mapping
from urllib.parse import unquote

from cluster_engine.programs.curl import http1
from cluster_engine.programs.curl.arguments import Options
from cluster_engine.programs.curl.connecting import Proxy, Wire
from cluster_engine.programs.curl.errors import COULDNT_CONNECT, COULDNT_RESOLVE_PROXY, RECV_ERROR, CurlError
from cluster_engine.programs.curl.http1 import Headers, Request
from cluster_engine.programs.curl.url import AUTHORITY, SCHEME, URL, whole

AGENT = "curl/7.88.1"
DEFAULT_PORT = 1080
HOST = re.compile(r"[A-Za-z0-9._~-]+|\[.*\]")


class Proxies:
    """The proxies of one run of curl. `tell` hears each line of -v with its mark."""

    def __init__(self, options: Options, environment: Mapping[str, str], tell: Callable[[str, str], None]) -> None:
        self._options, self._environment, self._tell = options, environment, tell

    def of(self, url: URL) -> Proxy | None:
        """Return the proxy for an address; None where it is asked directly. CurlError."""
        if self._options.unix_socket:
            return None
        given, excepted = self._options.proxy, self._options.noproxy
        if excepted is None:
            excepted = self._from_environment(("no_proxy", "NO_PROXY"))
        if is_excepted(url.host, excepted):
            return None
        if given is None:
            upper = () if url.scheme == "http" else (f"{url.scheme.upper()}_PROXY",)
            given = self._from_environment((f"{url.scheme}_proxy", *upper, "all_proxy", "ALL_PROXY"))
        return self._read(given, tunnels=url.scheme == "https" or self._options.proxytunnel) if given else None

    def _from_environment(self, names: tuple[str, ...]) -> str:
        for name in names:
            if value := self._environment.get(name):
                self._tell("*", f"Uses proxy env variable {name} == '{value}'")
                return value
        return ""

    def _read(self, text: str, *, tunnels: bool) -> Proxy:
        found = SCHEME.match(text)
        if found and found[1].lower() != "http":
            raise CurlError(COULDNT_CONNECT, f"Unsupported proxy scheme for '{text}'")
        authority = AUTHORITY.fullmatch(re.split("[/?#]", text[found.end() if found else 0 :], maxsplit=1)[0])
        port = DEFAULT_PORT if authority is None or not authority[3] else whole(authority[3])
        if authority is None or not HOST.fullmatch(authority[2]) or port is None or port > 65535:
            raise CurlError(COULDNT_RESOLVE_PROXY, f"Unsupported proxy syntax in '{text}'")
        user = self._options.proxy_user or unquote(authority[1] or "")
        return Proxy(authority[2].strip("[]"), port, user, tunnels)

    def headers(self, proxy: Proxy) -> Headers:
        """Return the headers by which one shows oneself to a proxy, and say so."""
        if not proxy.user:
            return []
        self._tell("*", f"Proxy auth using Basic with user '{proxy.user.partition(':')[0]}'")
        return [("Proxy-Authorization", f"Basic {base64.b64encode(proxy.user.encode()).decode()}")]

    async def tunnel(self, wire: Wire, proxy: Proxy, host: str, port: int) -> tuple[int, str]:
        """Have a proxy join a connection to a host's port; give the status and head of its answer. CurlError."""
        self._tell("*", "allocate connect buffer")
        self._tell("*", f"Establish HTTP proxy tunnel to {host}:{port}")
        shown = self.headers(proxy)
        agent = AGENT if self._options.user_agent is None else self._options.user_agent
        headers = [("Host", f"{host}:{port}"), *shown, *([("User-Agent", agent)] if agent else [])]
        headers.append(("Proxy-Connection", "Keep-Alive"))
        request = Request("CONNECT", f"{host}:{port}", headers)
        self._tell_lines(">", "\r\n".join([*request.lines, "", ""]))
        try:
            response = await http1.send(wire, request, lambda head: self._tell_lines("<", head))
        except CurlError as error:
            raise CurlError(RECV_ERROR, "Proxy CONNECT aborted") from error
        self._tell_lines("<", response.head)
        if response.status // 100 != 2:
            raise CurlError(RECV_ERROR, f"CONNECT tunnel failed, response {response.status}")
        self._tell("*", "CONNECT phase completed")
        self._tell("*", f"CONNECT tunnel established, response {response.status}")
        return response.status, response.head

    def _tell_lines(self, mark: str, text: str) -> None:
        for line in text.split("\r\n")[:-1]:
            self._tell(mark, line)


def is_excepted(host: str, names: str) -> bool:
    """Return whether a host is among those that are to be asked directly."""
    if names.strip() == "*":
        return True
    address = _address(host)
    host = host.rstrip(".").lower()
    for one in re.split("[ ,]+", names):
        if address is not None:
            if _holds(one, address):
                return True
        elif (name := one.removeprefix(".").rstrip(".").lower()) and (host == name or host.endswith(f".{name}")):
            return True
    return False


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _holds(network: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        return address in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
