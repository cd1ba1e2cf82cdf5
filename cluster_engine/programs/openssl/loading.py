"""Certificates, requests and keys from the host's files, and how openssl says that there are none.

Modelled on apps/lib/apps.c (load_key_certs_crls). Numbers before an error are those of a thread; here they are made up.
"""

from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from cluster_engine.programs.certificates.private_keys import read_private_key
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.openssl.options import OpenSSLError
from cluster_engine.programs.streams import read_file

CERTIFICATES_MAX = 1000
DER = b"\x30"
"""With what DER begins, of a certificate or a key: a SEQUENCE."""
NOT_READ = (ValueError, TypeError, UnsupportedAlgorithm)


class Loader:
    """Reads what one run of openssl names."""

    def __init__(self, invocation: Invocation) -> None:
        self._invocation = invocation
        self._thread = f"40{invocation.process.rng.getrandbits(32):08X}7F0000"

    def error(self, code: str, library: str, text: str) -> str:
        """Return a line of the error queue."""
        return f"{self._thread}:error:{code}:{library}:{text}"

    async def data(self, path: str, what: str, after: str = "") -> bytes:
        """Return a file's bytes, or standard input's where no path is given; OpenSSLError."""
        if not path:
            return await self._invocation.all()
        try:
            return read_file(self._invocation.files, self._invocation.absolute(path))
        except OSError as error:
            lines = [
                f"Could not open file or uri for loading {what} from {path}",
                self.error(
                    "16000069",
                    "STORE routines",
                    "ossl_store_get0_loader_int:unregistered scheme:../crypto/store/store_register.c:237:scheme=file",
                ),
                self.error(
                    "80000002",
                    "system library",
                    f"file_open:{error.strerror}:"
                    f"../providers/implementations/storemgmt/file_store.c:266:calling stat({path})",
                ),
                *([after] if after else []),
            ]
            raise OpenSSLError("\n".join(lines)) from error

    async def opened(self, path: str) -> bytes:
        """Return a plain file's bytes, or standard input's where no path is given; OpenSSLError."""
        if not path:
            return await self._invocation.all()
        try:
            return read_file(self._invocation.files, self._invocation.absolute(path))
        except OSError as error:
            said = f'Can\'t open "{path}" for reading, {error.strerror}'
            raise OpenSSLError(f"{said}\n{self.not_opened(path, 'rb', error)}") from error

    def not_opened(self, path: str, mode: str, error: OSError) -> str:
        """Return the lines of the error queue of a file that could not be opened."""
        where = f"BIO_new_file:{error.strerror}:../crypto/bio/bss_file.c:67:calling fopen({path}, {mode})"
        first, second = self.error("80000002", "system library", where), "BIO_new_file:no such file"
        return f"{first}\n{self.error('10000080', 'BIO routines', f'{second}:../crypto/bio/bss_file.c:75:')}"

    async def certificates(
        self, path: str, what: str = "certificate", after: str = "Unable to load certificate"
    ) -> list[x509.Certificate]:
        """Return a file's certificates, at least one; OpenSSLError."""
        data = await self.data(path, what, after)
        try:
            if data[:1] == DER and b"-----BEGIN" not in data:
                return [x509.load_der_x509_certificate(data)]
            return x509.load_pem_x509_certificates(data)[:CERTIFICATES_MAX]
        except NOT_READ as error:
            raise self._unreadable(data, path, what, after) from error

    async def trusted(self, path: str) -> list[x509.Certificate]:
        """Return the certificates of a -CAfile; OpenSSLError."""
        if not path:
            return []
        try:
            data = read_file(self._invocation.files, self._invocation.absolute(path))
        except OSError as error:
            lines = [
                f"Error loading file {path}",
                self.error(
                    "80000002",
                    "system library",
                    f"BIO_new_file:{error.strerror}:../crypto/bio/bss_file.c:67:calling fopen({path}, r)",
                ),
                self.error("10000080", "BIO routines", "BIO_new_file:no such file:../crypto/bio/bss_file.c:75:"),
                self.error(
                    "05880002",
                    "x509 certificate routines",
                    "X509_load_cert_crl_file_ex:system lib:../crypto/x509/by_file.c:229:",
                ),
            ]
            raise OpenSSLError("\n".join(lines)) from error
        try:
            return x509.load_pem_x509_certificates(data)[:CERTIFICATES_MAX]
        except NOT_READ as error:
            line = "X509_load_cert_crl_file_ex:no certificate or crl found:../crypto/x509/by_file.c:251:"
            text = f"Error loading file {path}\n{self.error('05800088', 'x509 certificate routines', line)}"
            raise OpenSSLError(text) from error

    async def request(self, path: str) -> x509.CertificateSigningRequest:
        """Return a certificate signing request; OpenSSLError."""
        data = await self.data(path, "certificate request")
        try:
            return x509.load_pem_x509_csr(data)
        except NOT_READ as error:
            raise OpenSSLError(f"Unable to load X509 request from {path or '<stdin>'}") from error

    async def private_key(self, path: str, what: str = "private key", password: str = "") -> Any:
        """Return a private key; OpenSSLError."""
        data = await self.data(path, what)
        try:
            return read_private_key(data, password.removeprefix("pass:").encode() if password else None)
        except NOT_READ as error:
            raise self._unreadable(data, path, what, "") from error

    async def public_key(self, path: str) -> Any:
        """Return a public key; OpenSSLError."""
        data = await self.data(path, "public key")
        try:
            return load_pem_public_key(data)
        except NOT_READ as error:
            raise self._unreadable(data, path, "public key", "") from error

    def unsupported(self, algorithm: str) -> str:
        """Return the line of an algorithm that there is not."""
        where = (
            "inner_evp_generic_fetch:unsupported:../crypto/evp/evp_fetch.c:386:"
            f"Global default library context, Algorithm ({algorithm} : 0), Properties (<null>)"
        )
        return self.error("0308010C", "digital envelope routines", where)

    def _unreadable(self, data: bytes, path: str, what: str, after: str) -> OpenSSLError:
        line = "ossl_store_handle_load_result:unsupported:../crypto/store/store_result.c:149:"
        lines = [
            f"Could not read {what} from {path or '<stdin>'}",
            *([self.error("1608010C", "STORE routines", line)] if b"-----BEGIN" in data else []),
            *([after] if after else []),
        ]
        return OpenSSLError("\n".join(lines))
