"""TLS as the lens shows it: every message in order, with its facts, however the bytes are cut."""

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lens_capture import API, KUBECTL, Capture, Secured, authority, byte_by_byte, kinds, one, secured_h2

from cluster_engine.lens.protection import expand_label
from cluster_engine.lens.tls_names import SUITES
from cluster_engine.pki.authority import Usage
from cluster_engine.words.sentences import sentence


def handshake(**how) -> Capture:
    capture = Capture()
    Secured(capture, capture.connect(), **how).shake_hands()
    return capture


def test_a_mutual_handshake_is_told_message_by_message_in_order():
    entries = handshake().entries()

    assert kinds(entries, "tls.") == [
        "tls.client_hello",
        "tls.server_hello",
        "tls.encrypted_extensions",
        "tls.certificate_request",
        "tls.certificate",
        "tls.certificate_verify",
        "tls.finished",
        "tls.certificate",
        "tls.certificate_verify",
        "tls.finished",
        "tls.new_session_ticket",
        "tls.new_session_ticket",
    ]
    speakers = [entry["from"] for entry in entries if entry["kind"].startswith("tls.")]
    assert speakers == [KUBECTL, *[API] * 6, *[KUBECTL] * 3, API, API]


def test_each_handshake_message_follows_the_one_before_and_the_first_follows_the_syn():
    entries = handshake().entries()
    hello = one(entries, "tls.client_hello")
    assert entries[hello["cause"] - 1]["kind"] == "tcp.syn"

    messages = [entry for entry in entries if entry["kind"].startswith("tls.")]
    assert [entry["cause"] for entry in messages[1:]] == [entry["seq"] for entry in messages[:-1]]


def test_a_syn_tells_from_which_address_and_port_to_which_the_connection_goes():
    opened, answered = (entry["fields"] for entry in handshake().entries() if entry["kind"] == "tcp.syn")
    assert (opened["client"], opened["server"]) == ("10.0.0.100:40001", "10.0.0.1:6443")
    assert "server" not in answered


def test_the_hellos_tell_names_versions_protocols_and_key_shares():
    entries = handshake().entries()

    hello = one(entries, "tls.client_hello")["fields"]
    assert hello["serverName"] == "kube-apiserver"
    assert hello["alpn"] == ["h2"]
    assert hello["versions"] == ["TLS 1.3", "TLS 1.2"]
    assert "TLS_AES_128_GCM_SHA256" in hello["ciphers"]
    assert set(hello["keyShares"]) <= set(hello["groups"])
    answer = one(entries, "tls.server_hello")["fields"]
    assert answer["version"] == "TLS 1.3"
    assert answer["cipher"].startswith("TLS_")
    assert answer["keyShare"] in hello["keyShares"]
    assert one(entries, "tls.encrypted_extensions")["fields"]["alpn"] == "h2"


def test_certificates_tell_who_is_who():
    entries = handshake().entries()

    of_server, of_client = [entry["fields"] for entry in entries if entry["kind"] == "tls.certificate"]
    assert (of_server["commonName"], of_server["issuer"]) == ("kube-apiserver", "kubernetes")
    assert of_server["names"] == ["kube-apiserver", "10.0.0.1"]
    assert of_server["usages"] == ["serverAuth"]
    assert of_client["commonName"] == "kubernetes-admin"
    assert of_client["organizations"] == ["kubeadm:cluster-admins"]
    assert of_client["notBefore"] < of_client["notAfter"]
    assert one(entries, "tls.certificate_request")["fields"]["authorities"] == ["CN=kubernetes"]
    verify = next(entry for entry in entries if entry["kind"] == "tls.certificate_verify")
    assert verify["fields"]["signatureScheme"] == "ecdsa_secp256r1_sha256"


@pytest.mark.parametrize("suite", ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"])
def test_every_suite_of_tls_1_3_can_be_read(suite):
    capture = Capture()
    h2 = secured_h2(capture, suites=suite)
    h2.respond(h2.request("GET", "/version"), 200, b"{}")

    entries = capture.entries()
    assert one(entries, "tls.server_hello")["fields"]["cipher"] == suite
    assert one(entries, "http.response")["fields"]["status"] == 200


@pytest.mark.parametrize(
    "suite",
    ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"],
)
def test_tls_1_2_with_forward_secrecy_can_be_read_too(suite):
    capture = Capture()
    h2 = secured_h2(capture, tls12=True, suites=suite)
    h2.respond(h2.request("GET", "/version"), 200, b"{}")

    entries = capture.entries()
    assert one(entries, "tls.server_hello")["fields"]["version"] == "TLS 1.2"
    assert kinds(entries, "tls.")[1:6] == [
        "tls.server_hello",
        "tls.certificate",
        "tls.server_key_exchange",
        "tls.certificate_request",
        "tls.server_hello_done",
    ]
    assert kinds(entries, "tls.").count("tls.finished") == 2
    assert one(entries, "http.request")["fields"]["path"] == "/version"


def test_what_a_client_sends_with_its_finished_is_read_once_the_secret_comes():
    capture = Capture()
    wire = Secured(capture, capture.connect(), alpn=("http/1.1",))
    for _ in range(2):
        wire.client.handshake()
        wire.pump(True)
        wire.server.handshake()
        if wire.client.handshake():
            break
        wire.pump(False)
    wire.client.write(b"GET /version HTTP/1.1\r\nHost: a\r\n\r\n")
    wire.pump(True)
    wire.server.handshake()

    entries = capture.entries()
    assert one(entries, "http.request")["fields"]["path"] == "/version"
    assert entries == capture.entries(byte_by_byte)


def test_without_secrets_every_record_is_shown_as_encrypted():
    capture = Capture()
    h2 = secured_h2(capture, with_secrets=False)
    h2.respond(h2.request("GET", "/version"), 200, b"{}")

    entries = capture.entries()
    assert kinds(entries, "tls.")[:2] == ["tls.client_hello", "tls.server_hello"]
    rest = [entry for entry in entries if entry["kind"].startswith("tls.")][2:]
    assert {entry["kind"] for entry in rest} == {"tls.encrypted"}
    assert len(rest) > 6
    assert not kinds(entries, "http.")


def test_a_capture_begun_in_the_middle_shows_records_as_encrypted_and_never_fails():
    capture = Capture()
    h2 = secured_h2(capture)
    begun = len(capture.heard)
    h2.respond(h2.request("GET", "/version"), 200, b"{}")
    late = Capture(heard=[capture.heard[0], *capture.heard[begun:]])

    assert set(kinds(late.entries())) == {"tls.encrypted"}


def test_a_capture_begun_in_the_middle_of_a_record_shows_bytes():
    capture = Capture()
    h2 = secured_h2(capture)
    begun = len(capture.heard)
    h2.respond(h2.request("GET", "/version"), 200, b"{}")
    tag, number, from_client, flags, payload, at, lost = capture.heard[begun]
    late = Capture(heard=[capture.heard[0], (tag, number, from_client, flags, payload[7:], at, lost)])

    assert kinds(late.entries()) == ["tcp.data"]


def test_secrets_that_never_come_leave_the_rest_encrypted():
    capture = Capture()
    h2 = secured_h2(capture)
    capture.at = 2.0
    h2.respond(h2.request("GET", "/version"), 200, b"{}")
    without = [heard for heard in capture.heard if not str(heard).startswith("CLIENT_TRAFFIC_SECRET_0")]

    entries = Capture(heard=without).entries()
    assert "tls.finished" in kinds(entries)
    assert "tls.encrypted" in kinds(entries)
    assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))


def test_a_refused_certificate_is_an_alert_with_its_name():
    capture = Capture()
    stranger = authority("stranger").issue("nobody", usage=Usage.CLIENT)
    wire = Secured(capture, capture.connect(), client=stranger, client_auth="require")
    with pytest.raises(Exception, match="certificate"):
        wire.shake_hands()
    wire.pump(False)

    alert = one(capture.entries(), "tls.alert")
    assert alert["fields"] == {"level": "fatal", "description": "unknown_ca"}
    assert alert["from"] == API


def test_close_notify_is_an_alert_that_nobody_need_fear():
    capture = Capture()
    h2 = secured_h2(capture)
    h2.wire.client.shutdown()
    h2.wire.pump(True)

    alert = one(capture.entries(), "tls.alert")
    assert alert["fields"]["description"] == "close_notify"
    assert "nothing more" in sentence(alert)


def test_a_handshake_cut_at_every_byte_gives_the_same_entries():
    capture = handshake()
    assert capture.entries(byte_by_byte) == capture.entries()


def sealed(secret: bytes, number: int, content: bytes, content_type: int) -> bytes:
    """A TLS 1.3 record under AES-128-GCM, made from a traffic secret with the package's primitives."""
    key = expand_label(SUITES[0x1301], secret, "key", 16)
    nonce = int.from_bytes(expand_label(SUITES[0x1301], secret, "iv", 12)) ^ number
    header = b"\x17\x03\x03" + (len(content) + 17).to_bytes(2)
    return header + AESGCM(key).encrypt(nonce.to_bytes(12), content + bytes([content_type]), header)


def test_after_a_key_update_the_next_keys_are_used():
    capture = Capture()
    number = capture.connect()
    Secured(capture, number, alpn=("http/1.1",), suites="TLS_AES_128_GCM_SHA256").shake_hands()
    line = next(heard for heard in capture.heard if str(heard).startswith("CLIENT_TRAFFIC_SECRET_0"))
    secret = bytes.fromhex(line.split()[2])
    after = expand_label(SUITES[0x1301], secret, "traffic upd", 32)
    capture.data(number, True, sealed(secret, 0, b"\x18\0\0\1\0", 22))
    capture.data(number, True, sealed(after, 0, b"GET /version HTTP/1.1\r\n\r\n", 23))

    entries = capture.entries()
    assert one(entries, "tls.key_update")["fields"] == {"answerWanted": False}
    assert one(entries, "http.request")["fields"]["path"] == "/version"
    assert capture.entries(byte_by_byte) == entries


def test_what_cannot_be_read_once_its_secret_has_come_makes_bytes_of_what_follows():
    capture = Capture()
    number = capture.connect()
    Secured(capture, number, alpn=("http/1.1",), suites="TLS_AES_128_GCM_SHA256").shake_hands()
    line = next(heard for heard in capture.heard if str(heard).startswith("CLIENT_TRAFFIC_SECRET_0"))
    early = Capture()
    early.data(number, True, sealed(bytes.fromhex(line.split()[2]), 0, b"no alert", 21))
    at = capture.heard.index(line)
    capture.heard[at:at] = early.heard
    capture.data(number, True, b"more")

    last = capture.entries()[-1]
    assert (last["kind"], last["label"]) == ("tcp.data", "4 bytes")
    assert last["fields"] == {"unreadable": "an alert that is not two bytes long"}


def test_keys_are_derived_as_rfc_8448_shows():
    secret = bytes.fromhex("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38")
    assert expand_label(SUITES[0x1301], secret, "key", 16).hex() == "3fce516009c21727d0f2e4e86ee403bc"
    assert expand_label(SUITES[0x1301], secret, "iv", 12).hex() == "5d313eb2671276ee13000b30"


def test_padding_inside_a_record_is_taken_away():
    capture = Capture()
    number = capture.connect()
    Secured(capture, number, alpn=("http/1.1",), suites="TLS_AES_128_GCM_SHA256").shake_hands()
    line = next(heard for heard in capture.heard if str(heard).startswith("CLIENT_TRAFFIC_SECRET_0"))
    key = bytes.fromhex(line.split()[2])
    request = b"GET /version HTTP/1.1\r\n\r\n"
    capture.data(number, True, sealed(key, 0, request + b"\x17" + bytes(40), 0))
    assert one(capture.entries(), "http.request")
