"""openssl s_client: a TLS connection by hand, reported; then standard input goes through it.

    openssl s_client -connect 10.0.0.1:6443 -CAfile /etc/kubernetes/pki/ca.crt </dev/null

What is typed is sent as it is; a line that begins with Q ends. As in reality the end of standard input ends it too,
before an answer can come, unless -quiet or -ign_eof is given. Modelled on apps/s_client.c.

    -groups ffdhe2048:P-256                 begin with a group that no API server has: HelloRetryRequest
    -sess_out FILE … -sess_in FILE          keep a session, with the ticket that came; resume it on another connection
    -tls1_2 -reconnect                      five times again, with the session of the first

In TLS 1.3 tickets come after the handshake, so that whoever hangs up at once has none. Left out: the report on tickets
that arrive later, STARTTLS, renegotiation, DTLS.
"""

import asyncio
import base64
import ipaddress
import os
import re
import socket
import ssl

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import crypto

from cluster_engine.programs.certificates.names import escaped, one_line
from cluster_engine.programs.certificates.text import key_algorithm, key_bits, signature_name
from cluster_engine.programs.certificates.times import openssl_time
from cluster_engine.programs.certificates.verification import ALERTS, REASONS, VERIFY_ERRORS
from cluster_engine.programs.curl.connecting import Wire
from cluster_engine.programs.curl.tls import matches
from cluster_engine.programs.curl.url import whole
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.openssl.loading import Loader
from cluster_engine.programs.openssl.options import Given, OpenSSLError, names, read, usage
from cluster_engine.programs.streams import read_file
from cluster_engine.world.tls_client import ClientTLS, Heard

SWITCHES = names(
    "showcerts tls1_2 tls1_3 tls1_1 tls1 no_tls1_3 no_tls1_2 brief state quiet ign_eof noservername crlf "
    "verify_return_error verify_quiet no_ign_eof prexit help 4 nocommands reconnect"
)
VALUES = names(
    "connect host port cert key pass CAfile CApath servername alpn cipher ciphersuites verify "
    "verify_hostname verify_ip cert_chain sess_out sess_in groups curves"
)
REQUESTED_13 = (
    "0x05+0x09:0x06+0x09:0x04+0x09:ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519:ed448:ecdsa_brainpoolP256r1_sha256:"
    "ecdsa_brainpoolP384r1_sha384:ecdsa_brainpoolP512r1_sha512:rsa_pss_pss_sha256:rsa_pss_pss_sha384:"
    "rsa_pss_pss_sha512:RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:RSA+SHA256:RSA+SHA384:RSA+SHA512:0x08+0x07"
)
"""What servers here, all OpenSSL's, ask to be signed with, as OpenSSL 3.0 names it: pyOpenSSL has no word for it."""
SHARED = (
    "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519:ed448:rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512:"
    "RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:RSA+SHA256:RSA+SHA384:RSA+SHA512"
)
REQUESTED_12 = f"{SHARED}:ECDSA+SHA224:RSA+SHA224:DSA+SHA224:DSA+SHA256:DSA+SHA384:DSA+SHA512"
CERTIFICATE_REQUEST, SERVER_HELLO = "SSLv3/TLS read server certificate request", "SSLv3/TLS read server hello"
HOSTNAME_MISMATCH = 62
RECONNECTIONS = 5
SESSION = "SSL SESSION PARAMETERS"
PEM_SESSION = re.compile(f"-----BEGIN {SESSION}-----([^-]*)-----END {SESSION}-----")
NO_SESSION = b"-"


async def run(invocation: Invocation, words: list[str]) -> int:
    """Run `openssl s_client`; give its exit code."""
    given = read("s_client", words, switches=SWITCHES, values=VALUES)
    if len(given.rest) > 1:
        raise usage("s_client", f'Extra option: "{given.rest[1]}"')
    return await Client(invocation, given).run()


class Client:
    """One run of s_client."""

    def __init__(self, invocation: Invocation, given: Given) -> None:
        self._invocation, self._given = invocation, given
        self._loader = Loader(invocation)
        self._is_requested = False
        self._has_name = False
        self._quiet = given.has("quiet") or given.has("brief")

    async def run(self) -> int:
        """Connect, report, pass on what is typed."""
        invocation, given = self._invocation, self._given
        host, port = self._target()
        tls = await self._tls(self._saved_session())
        if given.has("verify"):
            invocation.err(f"verify depth is {given.number('verify', 0)}\n")
        left = RECONNECTIONS if given.has("reconnect") else 0
        code = await self._talk(host, port, tls, stays=not left)
        while left and not code:
            left -= 1
            invocation.out("drop connection and then reconnect\n")
            tls = await self._tls(tls.session_bytes)
            code = await self._talk(host, port, tls, stays=not left, is_first=False)
        return code

    async def _talk(self, host: str, port: int, tls: ClientTLS, *, stays: bool, is_first: bool = True) -> int:
        """Connect and report, and where it `stays` pass on what is typed. Return the exit code."""
        invocation, given = self._invocation, self._given
        wire = await self._connected(host, port)
        if not self._quiet:
            invocation.out("CONNECTED(00000003)\n")
        loop, code = asyncio.get_running_loop(), 0
        try:
            name = "" if given.has("noservername") else given.value("servername") or _name(host)
            self._has_name = bool(name)
            wire.transport = await loop.start_tls(wire.transport, wire, tls, server_hostname=name)  # type: ignore[arg-type]
        except OSError as error:
            invocation.err(self._handshake_error(tls, error))
            code = 1
        self._check_name(tls)
        if given.has("brief"):
            if not code:
                invocation.err(self._brief(tls))
        elif not given.has("quiet"):
            invocation.out(self._report(tls, failed=bool(code), is_first=is_first))
        await invocation.drain()
        if not code and stays:
            await self._pass_on(wire)
        self._save_session(tls)
        wire.transport.close()
        return code

    def _saved_session(self) -> bytes:
        """Read the session of -sess_in; OpenSSLError."""
        if not (path := self._given.value("sess_in")):
            return b""
        try:
            data = read_file(self._invocation.files, self._invocation.absolute(path)).decode("ascii", "replace")
            body = PEM_SESSION.search(data)
            return base64.b64decode("" if body is None else "".join(body[1].split()), validate=True) or NO_SESSION
        except (OSError, ValueError):
            raise self._no_session() from None

    def _no_session(self) -> OpenSSLError:
        return OpenSSLError(f"Can't open session file {self._given.value('sess_in')}")

    def _save_session(self, tls: ClientTLS) -> None:
        if not (path := self._given.value("sess_out")) or not (raw := tls.session_bytes):
            return
        body = base64.b64encode(raw).decode()
        lines = [body[at : at + 64] for at in range(0, len(body), 64)]
        text = "\n".join([f"-----BEGIN {SESSION}-----", *lines, f"-----END {SESSION}-----", ""])
        try:
            self._invocation.files.write(self._invocation.absolute(path), text.encode())
        except OSError:
            self._invocation.err(f"Error writing session file {path}\n")

    # -- before --------------------------------------------------------------------------------------------------------

    def _target(self) -> tuple[str, int]:
        given = self._given
        text = given.value("connect") or (given.rest[0] if given.rest else "")
        host, colon, port = text.rpartition(":") if ":" in text else (text, "", "")
        host = (host or given.value("host") or "localhost").strip("[]")
        port = port if colon else given.value("port") or "4433"
        number = whole(port)
        if number is None or number > 65535:
            raise usage("s_client", "-connect argument or target parameter malformed or ambiguous")
        return host, number

    async def _tls(self, session: bytes) -> ClientTLS:
        given, loader = self._given, self._loader
        chain: list[x509.Certificate] = []
        key = None
        if path := given.value("cert"):
            what = "client certificate private key"
            key = await loader.private_key(given.value("key") or path, what, given.value("pass"))
            chain = await loader.certificates(path, "client certificate file", "")
        least = "1.2"
        most = "1.2" if given.has("tls1_2") or given.has("no_tls1_3") else "1.3"
        if given.has("tls1_1") or given.has("tls1"):
            least = most = "1.1" if given.has("tls1_1") else "1.0"
        elif given.has("tls1_3"):
            least = "1.3"
        tls = ClientTLS(
            trusted=await loader.trusted(given.value("CAfile")),
            chain=chain,
            key=key,
            alpn=[one for one in given.value("alpn").split(",") if one and len(one) < 256],
            least=least,
            most=most,
            ciphers=given.value("cipher"),
            ciphersuites=given.value("ciphersuites"),
            groups=given.value("groups") or given.value("curves"),
            session=session,
            refuses=given.has("verify_return_error"),
            judges_all=True,
            on_state=self._tell_state,
            on_judged=self._tell_judged,
        )
        try:
            tls.engine("")  # one to see whether it can be made, before anything is connected
        except ssl.SSLError as error:
            raise self._unusable(tls, error) from error
        except ValueError:
            raise self._no_session() from None
        return tls

    def _unusable(self, tls: ClientTLS, error: ssl.SSLError) -> OpenSSLError:
        if "groups" in str(error):
            option = "groups" if self._given.has("groups") else "curves"
            return OpenSSLError(f"Call to SSL_CONF_cmd(-{option}, {tls.groups}) failed")
        option, value, where = "cipher", tls.ciphers, "SSL_CTX_set_cipher_list:no cipher match:../ssl/ssl_lib.c:2741:"
        if tls.ciphersuites:
            option, value = "ciphersuites", tls.ciphersuites
            where = "set_ciphersuites:no cipher match:../ssl/ssl_ciph.c:1325:"
        text = f"Call to SSL_CONF_cmd(-{option}, {value}) failed"
        return OpenSSLError(f"{text}\n{self._loader.error('0A0000B9', 'SSL routines', where)}")

    async def _connected(self, host: str, port: int) -> Wire:
        loop = asyncio.get_running_loop()
        try:
            _, wire = await loop.create_connection(Wire, host, port)
        except socket.gaierror:
            where = "BIO_lookup_ex:system lib:../crypto/bio/bio_addr.c:746:Name or service not known"
            raise OpenSSLError(f"{self._loader.error('10080002', 'BIO routines', where)}\nconnect:errno=0") from None
        except (OSError, UnicodeError) as error:
            number = error.errno or 110 if isinstance(error, OSError) else 0
            why = f"BIO_connect:{os.strerror(number)}:../crypto/bio/bio_sock2.c:117:calling connect()"
            lines = [
                self._loader.error(f"{0x80000000 | number:08X}", "system library", why),
                self._loader.error(
                    "10000067", "BIO routines", "BIO_connect:connect error:../crypto/bio/bio_sock2.c:119:"
                ),
                f"connect:errno={number}",
            ]
            raise OpenSSLError("\n".join(lines)) from error
        return wire

    # -- the handshake -------------------------------------------------------------------------------------------------

    def _tell_state(self, heard: Heard) -> None:
        self._is_requested = self._is_requested or heard.state == CERTIFICATE_REQUEST
        if self._given.has("state"):
            if heard.alert is None:
                self._invocation.err(f"SSL_connect:{heard.state}\n")
            else:
                way = "write" if heard.alert.outgoing else "read"
                level = "fatal" if heard.alert.level > 1 else "warning"
                name = ALERTS.get(heard.alert.description, ("unknown", ""))[0]
                self._invocation.err(f"SSL3 alert {way}:{level}:{name}\n")
        if heard.state == SERVER_HELLO and not self._has_name and not self._given.has("quiet"):
            self._invocation.err("Can't use SSL_get_servername\n")

    def _tell_judged(self, code: int, depth: int, certificate: x509.Certificate) -> None:
        if self._quiet and not code:
            return
        lines = [f"depth={depth} {one_line(certificate.subject)}"]
        if code:
            lines.append(f"verify error:num={code}:{VERIFY_ERRORS.get(code, '')}")
        if code == 10:
            lines.append(f"notAfter={openssl_time(certificate.not_valid_after_utc)}")
        if not self._quiet and not (code and self._given.has("verify_return_error")):
            lines.append("verify return:1")
        self._invocation.err("\n".join([*lines, ""]))

    def _handshake_error(self, tls: ClientTLS, error: OSError) -> str:
        loader = self._loader
        if not isinstance(error, ssl.SSLError):
            eof = "ssl3_read_n:unexpected eof while reading:../ssl/record/rec_layer_s3.c:318:"
            return (
                f"write:errno={error.errno}\n" if error.errno else loader.error("0A000126", "SSL routines", eof) + "\n"
            )
        if tls.alert is not None and not tls.alert.outgoing:
            number = tls.alert.description
            text = ALERTS.get(number, ("", "reason(0)"))[1]
            where = f"ssl3_read_bytes:{text}:../ssl/record/rec_layer_s3.c:1601:SSL alert number {number}"
            return loader.error(f"{0x0A000000 | 1000 + number:08X}", "SSL routines", where) + "\n"
        reason = str(error.args[-1])
        where = f"ssl3_get_record:{reason}:../ssl/record/ssl3_record.c:354:"
        if reason == "certificate verify failed":
            where = f"tls_post_process_server_certificate:{reason}:../ssl/statem/statem_clnt.c:1889:"
        return loader.error(f"{0x0A000000 | REASONS.get(reason, 1):08X}", "SSL routines", where) + "\n"

    def _check_name(self, tls: ClientTLS) -> None:
        wanted = self._given.value("verify_hostname")
        if not wanted or not tls.peer_chain or tls.verify_code:
            return
        try:
            names = tls.peer_chain[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            fits = any(matches(one, wanted) for one in names.get_values_for_type(x509.DNSName))
        except x509.ExtensionNotFound:
            fits = False
        if not fits:
            tls.verify_code = HOSTNAME_MISMATCH
            text = VERIFY_ERRORS[HOSTNAME_MISMATCH]
            self._invocation.err(f"verify error:num={HOSTNAME_MISMATCH}:{text}\n")

    # -- the report ----------------------------------------------------------------------------------------------------

    def _report(self, tls: ClientTLS, *, failed: bool, is_first: bool) -> str:
        if not is_first:
            agreed = [_verification(tls), "---", *_agreed(tls, failed=failed, is_first=False)]
            return "\n".join([*agreed, *self._session(tls, failed=failed), "---", ""])
        lines = ["---"]
        chain = tls.peer_chain
        if chain and not tls.is_resumed:
            lines += ["Certificate chain", *self._chain(chain), "---"]
        if chain and not failed:
            lines += ["Server certificate"]
            if not self._given.has("showcerts"):
                lines.append(_pem(chain[0]))
            lines += [f"subject={one_line(chain[0].subject)}", f"issuer={one_line(chain[0].issuer)}"]
        else:
            lines.append("no peer certificate available")
        lines += ["---", *self._requested(tls), *self._signed(tls, failed=failed), "---"]
        lines.append(f"SSL handshake has read {tls.read_bytes} bytes and written {tls.written_bytes} bytes")
        lines += [_verification(tls), "---", *_agreed(tls, failed=failed, is_first=True)]
        return "\n".join([*lines, *self._session(tls, failed=failed), "---", ""])

    def _chain(self, chain: list[x509.Certificate]) -> list[str]:
        lines = []
        for depth, one in enumerate(chain):
            public = one.public_key()
            lines += [
                f"{depth:2d} s:{one_line(one.subject)}",
                f"   i:{one_line(one.issuer)}",
                f"   a:PKEY: {key_algorithm(public)}, {key_bits(public)} (bit); sigalg: {_signature(one)}",
                f"   v:NotBefore: {openssl_time(one.not_valid_before_utc)}; "
                f"NotAfter: {openssl_time(one.not_valid_after_utc)}",
            ]
            if self._given.has("showcerts"):
                lines.append(_pem(one))
        return lines

    def _requested(self, tls: ClientTLS) -> list[str]:
        """Return whom the server takes certificates from, and how they are to sign."""
        connection = tls.connection
        if not self._is_requested or connection is None:
            return ["No client certificate CA names sent"]
        names = [_components(one) for one in connection.get_client_ca_list()]
        lines = ["Acceptable client certificate CA names", *names] if names else ["No client certificate CA names sent"]
        if connection.get_protocol_version_name() == "TLSv1.3":
            requested = [f"Requested Signature Algorithms: {REQUESTED_13}"]
            return [*lines, *requested, f"Shared Requested Signature Algorithms: {SHARED}"]
        types = "Client Certificate Types: RSA sign, DSA sign, ECDSA sign"
        return [*lines, types, *(f"{word}Requested Signature Algorithms: {REQUESTED_12}" for word in ("", "Shared "))]

    def _signed(self, tls: ClientTLS, *, failed: bool) -> list[str]:
        lines = []
        if tls.peer_chain and not failed and not tls.is_resumed:
            public = tls.peer_chain[0].public_key()
            lines = [f"Peer signing digest: {_digest(public)}", f"Peer signature type: {_kind(public)}"]
        return [*lines, *_temporary_key(tls)]

    def _session(self, tls: ClientTLS, *, failed: bool) -> list[str]:
        connection = tls.connection
        code = f"Verify return code: {tls.verify_code} ({VERIFY_ERRORS.get(tls.verify_code, '')})"
        version = connection.get_protocol_version_name() if connection is not None else "TLSv1.3"
        if version == "TLSv1.3":
            return ["Early data was not sent", code]
        secret = connection.master_key() if connection is not None and not failed else b""
        now = int(self._invocation.process.now().timestamp())
        session = [
            f"Protocol  : {version}",
            f"Cipher    : {(connection.get_cipher_name() if connection is not None else None) or '0000'}",
            "Session-ID: ",
            "Session-ID-ctx: ",
            f"Master-Key: {(secret or b'').hex().upper()}",
            "PSK identity: None",
            "PSK identity hint: None",
            "SRP username: None",
            f"Start Time: {now}",
            "Timeout   : 7200 (sec)",
            code,
            f"Extended master secret: {'no' if failed else 'yes'}",
        ]
        return ["SSL-Session:", *(f"    {line}" for line in session)]

    def _brief(self, tls: ClientTLS) -> str:
        connection, public = tls.connection, tls.peer_chain[0].public_key()
        assert connection is not None
        lines = [
            "CONNECTION ESTABLISHED",
            f"Protocol version: {connection.get_protocol_version_name()}",
            f"Ciphersuite: {connection.get_cipher_name()}",
        ]
        if self._is_requested:
            is_13 = connection.get_protocol_version_name() == "TLSv1.3"
            lines.append(f"Requested Signature Algorithms: {REQUESTED_13 if is_13 else REQUESTED_12}")
        lines += [
            f"Peer certificate: {one_line(tls.peer_chain[0].subject)}",
            f"Hash used: {_digest(public)}",
            f"Signature type: {_kind(public)}",
            _verification(tls),
            *_temporary_key(tls),
        ]
        return "\n".join([*lines, ""])

    # -- after ---------------------------------------------------------------------------------------------------------

    async def _pass_on(self, wire: Wire) -> None:
        """Send what is typed and print what comes, until one side ends."""
        stays = (self._given.has("quiet") or self._given.has("ign_eof")) and not self._given.has("no_ign_eof")
        sending = asyncio.ensure_future(self._send(wire, commands=not stays))
        printing = asyncio.ensure_future(self._print(wire))
        try:
            if stays:
                await printing
            else:
                await asyncio.wait([sending, printing], return_when=asyncio.FIRST_COMPLETED)
                self._invocation.err("DONE\n" if sending.done() and not printing.done() else "closed\n")
        finally:
            for task in (sending, printing):
                task.cancel()
            await asyncio.gather(sending, printing, return_exceptions=True)

    async def _send(self, wire: Wire, *, commands: bool) -> None:
        while piece := await self._invocation.streams.stdin.read():
            if commands and piece.startswith(b"Q"):
                return
            if self._given.has("crlf"):
                piece = piece.replace(b"\n", b"\r\n")
            await wire.write(piece)

    async def _print(self, wire: Wire) -> None:
        try:
            while piece := await wire.read():
                self._invocation.out(piece)
                await self._invocation.drain()
        except ssl.SSLError as error:
            where = f"ssl3_read_bytes:{error.args[-1]}:../ssl/record/rec_layer_s3.c:1601:"
            self._invocation.err(self._loader.error("0A000001", "SSL routines", where) + "\n")
        except OSError as error:
            self._invocation.err(f"read:errno={error.errno or 104}\n")


def _name(host: str) -> str:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host
    return ""


def _components(name: crypto.X509Name) -> str:
    """Print a name as pyOpenSSL has it, as one_line prints others."""
    parts = [(key.decode("latin-1"), value.decode("utf-8", "replace")) for key, value in name.get_components()]
    return ", ".join(f"{key} = {escaped(value, quoted=True)}" for key, value in parts)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode().rstrip("\n")


def _signature(certificate: x509.Certificate) -> str:
    name = signature_name(certificate)
    return {"sha256WithRSAEncryption": "RSA-SHA256", "sha384WithRSAEncryption": "RSA-SHA384"}.get(name, name)


def _verification(tls: ClientTLS) -> str:
    if tls.verify_code:
        return f"Verification error: {VERIFY_ERRORS.get(tls.verify_code, '')}"
    return "Verification: OK"


def _digest(public: object) -> str:
    if isinstance(public, ec.EllipticCurvePublicKey):
        return {"secp384r1": "SHA384", "secp521r1": "SHA512"}.get(public.curve.name, "SHA256")
    return "SHA256" if isinstance(public, rsa.RSAPublicKey) else "UNDEF"


def _kind(public: object) -> str:
    if isinstance(public, rsa.RSAPublicKey):
        return "RSA-PSS"
    return "ECDSA" if isinstance(public, ec.EllipticCurvePublicKey) else key_algorithm(public).capitalize()


def _temporary_key(tls: ClientTLS) -> list[str]:
    """Return with what the keys were agreed on; a group that OpenSSL 3.0 does not know is told as later ones do."""
    connection = tls.connection
    group = connection.get_group_name() if connection is not None and connection.get_cipher_name() else None
    match group:
        case None:
            return []
        case "x25519":
            return ["Server Temp Key: X25519, 253 bits"]
        case "x448":
            return ["Server Temp Key: X448, 448 bits"]
        case "secp256r1" | "prime256v1":
            return ["Server Temp Key: ECDH, prime256v1, 256 bits"]
    return [f"Negotiated TLS1.3 group: {group}"]


def _agreed(tls: ClientTLS, *, failed: bool, is_first: bool) -> list[str]:
    connection = tls.connection
    cipher = connection.get_cipher_name() if connection is not None else None
    version = connection.get_protocol_version_name() if connection is not None else "TLSv1.3"
    shown = (version, cipher) if cipher else ("(NONE)", "(NONE)")
    lines = [f"{'Reused' if tls.is_resumed else 'New'}, {shown[0]}, Cipher is {shown[1]}"]
    if tls.peer_chain and not failed and is_first:
        lines.append(f"Server public key is {key_bits(tls.peer_chain[0].public_key())} bit")
    renegotiates = "IS" if version == "TLSv1.2" and cipher and not failed else "IS NOT"
    alpn = connection.get_alpn_proto_negotiated().decode("latin-1") if connection is not None else ""
    return [
        *lines,
        f"Secure Renegotiation {renegotiates} supported",
        "Compression: NONE",
        "Expansion: NONE",
        f"ALPN protocol: {alpn}" if alpn else "No ALPN negotiated",
    ]
