"""The port, spoken to by bare h2 and by bytes written by hand: what a well-behaved client never does is done here."""

import asyncio
import contextlib
import gc

import h2.events
import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.settings import SettingCodes

from cluster_engine.api.status import TooLarge, TooManyRequests
from cluster_engine.apiserver.serving import exchange
from cluster_engine.apiserver.serving.exchange import BODY_BYTES_MAX, Response, header_map
from cluster_engine.apiserver.serving.listener import Listener
from cluster_engine.cast import PKI
from cluster_engine.world.tls import ServerTLS, client_tls

HEAD = [(":method", "GET"), (":scheme", "https"), (":authority", "server")]


class Server:
    """A listener with a service that answers by path; `writers` are the bodies that go on."""

    def __init__(self, world, files):
        self.world = world
        self.files = files
        self.writers = []
        self.seen = []
        self.ended = 0

    async def start(self):
        host = self.world.add_host("server", "10.0.0.1")
        self.process = self.world.spawn(host, "server", self.main)
        await self.process.wait_ready()

    async def main(self, process):
        tls = ServerTLS(
            self.files[f"{PKI}/apiserver.crt"], self.files[f"{PKI}/apiserver.key"], client_ca=None, client_auth="none"
        )
        async with Listener(process, self.serve) as listener:
            await listener.listen("0.0.0.0", 6443, tls)
            process.ready()
            await asyncio.get_running_loop().create_future()

    async def serve(self, request):
        self.seen.append((request.method, request.path, request.query))
        if request.path == "/watch":
            return Response(200, stream=self.stream)
        if request.path == "/broken":
            raise KeyError("planted")
        if request.path == "/breaks":
            return Response(200, stream=self.break_off)
        if request.path == "/slow":
            await asyncio.sleep(2)
        if request.path == "/big":
            return Response(200, body=b"x" * 300_000)
        try:
            body = await request.read()
        except (TooLarge, TooManyRequests) as refusal:
            return Response(refusal.code, body=refusal.message.encode())
        return Response(200, "text/plain", body or b"hello", (("audit-id", "1"),))

    async def break_off(self, writer):
        writer.write(b"begun ")
        await asyncio.sleep(1)
        raise KeyError("planted")

    async def stream(self, writer):
        self.writers.append(writer)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.ended += 1


class Client:
    """A bare HTTP/2 client that does nothing by itself: windows grow only when a test says so."""

    def __init__(self, reader, writer, settings=None):
        self.reader, self.writer = reader, writer
        self.h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        if settings:
            self.h2.local_settings.update(settings)
            self.h2.local_settings.acknowledge()
        self.h2.initiate_connection()
        self.flush()
        self.events = []

    def flush(self):
        self.writer.write(self.h2.data_to_send())

    def ask(self, path="/", *, method="GET", body=None):
        number = self.h2.get_next_available_stream_id()
        head = [(":method", method), *HEAD[1:], (":path", path)]
        self.h2.send_headers(number, head, end_stream=body is None)
        if body is not None:
            self.h2.send_data(number, body, end_stream=True)
        self.flush()
        return number

    async def until(self, kind, stream=None):
        """Read until an event of that kind (for that stream) has come; give it."""
        while True:
            for event in self.events:
                if isinstance(event, kind) and stream in (None, getattr(event, "stream_id", None)):
                    self.events.remove(event)
                    return event
            await self.more()

    async def more(self):
        data = await self.reader.read(65536)
        if not data:
            raise EOFError
        self.events += self.h2.receive_data(data)
        self.flush()

    async def listen(self, seconds=1.0):
        """Read whatever comes in that time."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    await self.more()
        except TimeoutError:
            return

    def body(self, stream):
        return b"".join(
            event.data
            for event in self.events
            if isinstance(event, h2.events.DataReceived) and event.stream_id == stream
        )


@pytest.fixture
def run_server(run, pki_files):
    def run_story(story):
        async def with_server(world):
            server = Server(world, pki_files[0])
            await server.start()

            async def connect(alpn="h2", settings=None):
                tls = client_tls(ca=pki_files[0][f"{PKI}/ca.crt"], alpn=(alpn,))
                reader, writer = await asyncio.open_connection("10.0.0.1", 6443, ssl=tls)
                return Client(reader, writer, settings) if alpn == "h2" else (reader, writer)

            return await story(server, connect)

        return run(with_server)

    return run_story


async def answer(reader):
    """Read one HTTP/1.1 response with a Content-Length: (status line, headers, body)."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in head[1:] if line)
    return head[0], headers, await reader.readexactly(int(headers["Content-Length"]))


def test_alpn_decides_which_http_is_spoken(run_server):
    async def story(server, connect):
        client = await connect("h2")
        stream = client.ask("/a?x=1")
        head = await client.until(h2.events.ResponseReceived, stream)
        assert dict(head.headers)[":status"] == "200"
        assert dict(head.headers)["content-length"] == "5"
        reader, writer = await connect("http/1.1")
        writer.write(b"GET /b HTTP/1.1\r\nHost: server\r\n\r\n")
        status, headers, body = await answer(reader)
        assert (status, body) == ("HTTP/1.1 200 OK", b"hello")
        assert headers["Audit-Id"] == "1"
        assert headers["Date"].endswith("GMT")
        assert server.seen == [("GET", "/a", "x=1"), ("GET", "/b", "")]

    run_server(story)


def test_the_server_says_the_settings_of_kube_apiserver(run_server):
    async def story(server, connect):
        client = await connect()
        changed = (await client.until(h2.events.RemoteSettingsChanged)).changed_settings
        assert changed[SettingCodes.MAX_CONCURRENT_STREAMS].new_value == 100
        assert changed[SettingCodes.INITIAL_WINDOW_SIZE].new_value == 256 * 1024
        assert changed[SettingCodes.MAX_FRAME_SIZE].new_value == 256 * 1024
        assert changed[SettingCodes.MAX_HEADER_LIST_SIZE].new_value == 1024 * 1024 + 320

    run_server(story)


def test_headers_of_more_than_a_mebibyte_are_answered_431_and_the_connection_goes_on(run_server):
    async def story(server, connect):
        client = await connect()
        field = ("x-long", "y" * 3000)
        for count, status in (340, "200"), (360, "431"), (1, "200"):
            number = client.h2.get_next_available_stream_id()
            client.h2.send_headers(number, [*HEAD, (":path", "/"), *[field] * count], end_stream=True)
            client.flush()
            head = await client.until(h2.events.ResponseReceived, number)
            assert dict(head.headers)[":status"] == status
        await client.until(h2.events.StreamEnded, number)
        assert len(server.seen) == 2

    run_server(story)


def test_a_few_bytes_that_stand_for_many_headers_end_the_connection(run_server):
    async def story(server, connect):
        client = await connect()
        number = client.h2.get_next_available_stream_id()
        client.h2.send_headers(number, [*HEAD, (":path", "/"), *[("x-long", "y" * 3000)] * 240_000])
        client.flush()
        ended = await client.until(h2.events.ConnectionTerminated)
        assert ended.error_code == ErrorCodes.ENHANCE_YOUR_CALM

    run_server(story)


@pytest.mark.parametrize("count", [3, 100])
def test_a_header_block_that_never_ends_ends_the_connection(run_server, count):
    async def story(server, connect):
        client = await connect()
        size = 250 * 1024 if count == 3 else 10
        client.writer.write(_frame(1, 0, 1, b"\x20" * size))
        for _ in range(4 * count):
            client.writer.write(_frame(9, 0, 1, b"\x20" * size))
        ended = await client.until(h2.events.ConnectionTerminated)
        assert ended.error_code != 0

    run_server(story)


def test_header_fields_of_one_name_are_collected_in_time_in_proportion():
    fields = header_map((b"A", b"1") for _ in range(200_000))
    assert len(fields["a"]) == 200_000


def _frame(kind, flags, stream, payload):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def test_a_response_waits_for_the_stream_window_and_goes_on_when_it_opens(run_server):
    async def story(server, connect):
        client = await connect()
        stream = client.ask("/big")
        await client.listen()
        assert len(client.body(stream)) == 65535
        client.h2.increment_flow_control_window(100_000, stream)
        client.h2.increment_flow_control_window(1_000_000)
        client.flush()
        await client.listen()
        assert len(client.body(stream)) == 165_535
        client.h2.increment_flow_control_window(200_000, stream)
        client.flush()
        await client.until(h2.events.StreamEnded, stream)
        assert client.body(stream) == b"x" * 300_000

    run_server(story)


def test_one_stream_without_a_window_does_not_hold_up_another(run_server):
    async def story(server, connect):
        client = await connect(settings={SettingCodes.INITIAL_WINDOW_SIZE: 1000})
        big, small = client.ask("/big"), client.ask("/")
        await client.until(h2.events.StreamEnded, small)
        await client.listen()
        assert len(client.body(big)) == 1000
        client.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 5000})
        client.flush()
        await client.listen()
        assert len(client.body(big)) == 5000

    run_server(story)


def test_the_connection_window_is_shared_and_its_update_wakes_all(run_server):
    async def story(server, connect):
        client = await connect(settings={SettingCodes.INITIAL_WINDOW_SIZE: 1_000_000})
        streams = [client.ask("/big"), client.ask("/big")]
        await client.listen()
        assert sum(len(client.body(stream)) for stream in streams) == 65535
        client.h2.increment_flow_control_window(10_000_000)
        client.flush()
        for stream in streams:
            await client.until(h2.events.StreamEnded, stream)
            assert len(client.body(stream)) == 300_000

    run_server(story)


def test_a_reset_ends_the_task_behind_the_stream(run_server):
    async def story(server, connect):
        client = await connect()
        stream = client.ask("/watch")
        await client.until(h2.events.ResponseReceived, stream)
        server.writers[0].write(b"one\n")
        await client.until(h2.events.DataReceived, stream)
        client.h2.reset_stream(stream)
        client.flush()
        await client.listen()
        assert server.ended == 1
        assert server.writers[0].closed
        server.writers[0].write(b"nobody hears this\n")
        other = client.ask("/")
        await client.until(h2.events.StreamEnded, other)

    run_server(story)


def test_a_client_that_says_goodbye_is_served_no_more_although_it_cannot_hear_that(run_server):
    async def story(server, connect):
        client = await connect()
        slow, big = client.ask("/slow"), client.ask("/big")
        await client.until(h2.events.DataReceived, big)
        server.world.network.partition("server", "outside", both_ways=False)
        client.h2.increment_flow_control_window(200_000, big)  # what answers this never arrives
        client.h2.close_connection()
        client.flush()
        await asyncio.sleep(5)
        server.world.network.heal("server", "outside")
        other = await connect()
        await other.until(h2.events.StreamEnded, other.ask("/"))
        assert not any(getattr(event, "stream_id", None) == slow for event in client.events)

    run_server(story)


def test_a_hundred_streams_are_served_at_once_and_no_more_are_allowed(run_server):
    async def story(server, connect):
        client = await connect()
        await client.until(h2.events.RemoteSettingsChanged)
        streams = [client.ask("/watch") for _ in range(100)]
        await client.listen()
        assert len(server.writers) == 100
        with pytest.raises(h2.exceptions.TooManyStreamsError):
            client.ask("/watch")
        for writer in server.writers:
            writer.write(b"event\n")
        await client.listen()
        assert all(client.body(stream) == b"event\n" for stream in streams)

    run_server(story)


def test_writes_of_one_instant_leave_in_one_segment(run_server):
    async def story(server, connect):
        client = await connect()
        streams = [client.ask("/watch") for _ in range(10)]
        await client.listen()
        for writer in server.writers:
            writer.write(b"event\n")
        data = await client.reader.read(65536)
        assert data.count(b"event\n") == len(streams)

    run_server(story)


@pytest.mark.parametrize("alpn", ["h2", "http/1.1"])
def test_a_body_over_three_mebibytes_is_answered_413(run_server, alpn):
    async def story(server, connect):
        body = b"x" * (BODY_BYTES_MAX + 1)
        if alpn == "h2":
            client = await connect()
            number = client.h2.get_next_available_stream_id()
            client.h2.send_headers(number, [(":method", "POST"), *HEAD[1:], (":path", "/")])
            sent = 0
            while sent < len(body) and not client.events_of(h2.events.ResponseReceived):
                room = min(client.h2.local_flow_control_window(number), client.h2.max_outbound_frame_size)
                if room == 0:
                    await client.more()
                    continue
                client.h2.send_data(number, body[sent : sent + room], end_stream=sent + room >= len(body))
                sent += room
                client.flush()
            head = await client.until(h2.events.ResponseReceived, number)
            assert dict(head.headers)[":status"] == "413"
            other = client.ask("/")
            await client.until(h2.events.StreamEnded, other)
        else:
            reader, writer = await connect("http/1.1")
            writer.write(b"POST / HTTP/1.1\r\nHost: s\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            status, _, _ = await answer(reader)
            assert status.startswith("HTTP/1.1 413")

    Client.events_of = lambda self, kind: [event for event in self.events if isinstance(event, kind)]
    run_server(story)


def test_a_body_of_exactly_three_mebibytes_is_taken(run_server):
    async def story(server, connect):
        reader, writer = await connect("http/1.1")
        writer.write(
            b"POST / HTTP/1.1\r\nHost: s\r\nContent-Length: %d\r\n\r\n" % BODY_BYTES_MAX + b"x" * BODY_BYTES_MAX
        )
        status, _, body = await answer(reader)
        assert status.startswith("HTTP/1.1 200")
        assert len(body) == BODY_BYTES_MAX

    run_server(story)


def test_a_refusal_before_the_body_does_not_wait_for_it(run_server):
    async def story(server, connect):
        client = await connect()
        number = client.h2.get_next_available_stream_id()
        client.h2.send_headers(number, [(":method", "POST"), *HEAD[1:], (":path", "/big")])
        client.flush()
        head = await client.until(h2.events.ResponseReceived, number)
        assert dict(head.headers)[":status"] == "200"

    run_server(story)


def test_a_watch_over_http11_is_chunked_and_each_write_comes_at_once(run_server):
    async def story(server, connect):
        reader, writer = await connect("http/1.1")
        writer.write(b"GET /watch HTTP/1.1\r\nHost: s\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"Transfer-Encoding: chunked" in head
        server.writers[0].write(b"first\n")
        assert await reader.readuntil(b"first\n\r\n") == b"6\r\nfirst\n\r\n"
        server.writers[0].write(b"second\n")
        assert await reader.readuntil(b"second\n\r\n") == b"7\r\nsecond\n\r\n"
        writer.close()
        await asyncio.sleep(1)
        assert server.ended == 1

    run_server(story)


def test_a_client_that_hangs_up_on_a_silent_watch_is_heard(run_server):
    async def story(server, connect):
        reader, writer = await connect("http/1.1")
        writer.write(b"GET /watch HTTP/1.1\r\nHost: s\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        writer.close()
        await asyncio.sleep(1)
        assert server.ended == 1

    run_server(story)


@pytest.mark.long
def test_what_is_sent_far_ahead_is_held_back_until_it_is_wanted(run_server):
    async def story(server, connect):
        reader, writer = await connect("http/1.1")
        many = 20_000
        writer.write(b"GET /slow HTTP/1.1\r\nHost: s\r\n\r\n" + b"GET / HTTP/1.1\r\nHost: s\r\n\r\n" * many)
        await asyncio.sleep(1)
        assert writer.transport.get_write_buffer_size() > 0
        for _ in range(many + 1):
            assert (await answer(reader))[2] == b"hello"

    run_server(story)


def test_a_head_that_never_ends_gets_431(run_server):
    async def story(server, connect):
        reader, writer = await connect("http/1.1")
        writer.write(b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200_000)
        assert (await reader.read()).startswith(b"HTTP/1.1 431 Request Header Fields Too Large")

    run_server(story)


def test_requests_sent_ahead_are_answered_in_order(run_server):
    async def story(server, connect):
        reader, writer = await connect("http/1.1")
        writer.write(
            b"".join(b"POST /%d HTTP/1.1\r\nHost: s\r\nContent-Length: 1\r\n\r\n%d" % (n, n) for n in range(5))
        )
        bodies = [(await answer(reader))[2] for _ in range(5)]
        assert bodies == [b"0", b"1", b"2", b"3", b"4"]
        assert [path for _, path, _ in server.seen] == ["/0", "/1", "/2", "/3", "/4"]

    run_server(story)


def test_who_expects_100_continue_is_told_to(run_server):
    async def story(server, connect):
        reader, writer = await connect("http/1.1")
        writer.write(b"POST / HTTP/1.1\r\nHost: s\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
        writer.write(b"abc")
        assert (await answer(reader))[2] == b"abc"

    run_server(story)


@pytest.mark.parametrize("garbage", [b"\x00\x01\x02\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"hello there\r\n\r\n"])
def test_what_is_not_http_gets_400_and_the_server_lives_on(run_server, garbage):
    async def story(server, connect):
        reader, writer = await connect("http/1.1")
        writer.write(garbage)
        assert (await reader.read()).startswith(b"HTTP/1.1 400 Bad Request")
        reader, writer = await connect("http/1.1")
        writer.write(b"GET / HTTP/1.1\r\nHost: s\r\n\r\n")
        assert (await answer(reader))[2] == b"hello"

    run_server(story)


def test_what_is_not_http2_after_h2_was_agreed_ends_the_connection_with_a_goaway(run_server):
    async def story(server, connect):
        client = await connect()
        await client.until(h2.events.RemoteSettingsChanged)
        client.writer.write(b"\x00\x00\x04\x03\x00\x00\x00\x00\x00garb")
        assert (await client.until(h2.events.ConnectionTerminated)).error_code != 0
        with pytest.raises(EOFError):
            await client.more()
        healthy = await connect()
        await healthy.until(h2.events.ResponseReceived, healthy.ask("/"))

    run_server(story)


def test_bytes_that_are_not_even_tls_are_turned_away(run_server):
    async def story(server, connect):
        reader, writer = await asyncio.open_connection("10.0.0.1", 6443)
        writer.write(b"GET / HTTP/1.1\r\nHost: s\r\n\r\n")
        with contextlib.suppress(OSError):
            await reader.read()
        healthy = await connect()
        await healthy.until(h2.events.ResponseReceived, healthy.ask("/"))

    run_server(story)


@pytest.mark.parametrize("alpn", ["h2", "http/1.1"])
def test_a_connection_idle_for_90_seconds_is_closed(run_server, alpn):
    async def story(server, connect):
        loop = asyncio.get_running_loop()
        if alpn == "h2":
            client = await connect()
            await client.until(h2.events.StreamEnded, client.ask("/"))
            began = loop.time()
            assert (await client.until(h2.events.ConnectionTerminated)).error_code == 0
        else:
            reader, writer = await connect("http/1.1")
            writer.write(b"GET / HTTP/1.1\r\nHost: s\r\n\r\n")
            await answer(reader)
            began = loop.time()
            assert await reader.read() == b""
        assert loop.time() - began == pytest.approx(90, abs=0.1)

    run_server(story)


def test_a_connection_that_never_asks_is_closed_after_32_seconds(run_server):
    async def story(server, connect):
        reader, _ = await connect("http/1.1")
        assert await reader.read() == b""
        assert asyncio.get_running_loop().time() == pytest.approx(32, abs=0.1)

    run_server(story)


def test_a_connection_with_a_watch_is_never_idle(run_server):
    async def story(server, connect):
        client = await connect()
        stream = client.ask("/watch")
        await client.until(h2.events.ResponseReceived, stream)
        await asyncio.sleep(1000)
        server.writers[0].write(b"still here\n")
        assert (await client.until(h2.events.DataReceived, stream)).data == b"still here\n"

    run_server(story)


def test_on_shutdown_watches_end_and_requests_under_way_finish(run_server):
    async def story(server, connect):
        client = await connect()
        watch, slow = client.ask("/watch"), client.ask("/slow")
        await client.until(h2.events.ResponseReceived, watch)
        stopping = asyncio.ensure_future(server.process.stop())
        await client.until(h2.events.StreamEnded, watch)
        late = client.ask("/")
        await client.until(h2.events.StreamReset, late)
        await client.until(h2.events.StreamEnded, slow)
        goaway = await client.until(h2.events.ConnectionTerminated)
        assert (goaway.error_code, goaway.last_stream_id) == (0, slow)
        assert await stopping == 143

    run_server(story)


def test_a_client_that_reads_nothing_holds_bytes_back_at_its_own_connection_only(run_server):
    async def story(server, connect):
        lazy = await connect(settings={SettingCodes.INITIAL_WINDOW_SIZE: 2**31 - 1})
        lazy.h2.increment_flow_control_window(2**31 - 1 - 65535)
        stream = lazy.ask("/watch")
        await lazy.until(h2.events.ResponseReceived, stream)
        lazy.reader._transport.pause_reading()
        for _ in range(200):
            server.writers[0].write(b"y" * 50_000)
            await asyncio.sleep(0.01)
        assert server.writers[0].backlog > 1_000_000
        other = await connect()
        await other.until(h2.events.StreamEnded, other.ask("/"))

    run_server(story)


@pytest.fixture
def run_server_at_pace_60(run_server):
    """As run_server, but the story's clients come from where a second is a minute here."""

    def run_story(story):
        async def at_pace_60(server, connect):
            async def connect_from_outside(alpn="http/1.1", **told):
                loop = asyncio.get_running_loop()
                tls = client_tls(ca=server.files[f"{PKI}/ca.crt"], alpn=(alpn,))
                opening = asyncio.ensure_future(asyncio.open_connection("10.0.0.1", 6443, ssl=tls))
                await server.world.until(lambda: server.world.network.ends)
                (client, _) = list(server.world.network.ends.values())[-1]
                client.told = {"peer_time": lambda: loop.time() / 60, **told}
                return await opening

            return await story(server, connect_from_outside)

        return run_server(at_pace_60)

    return run_story


def test_an_idle_client_whose_seconds_are_our_minutes_has_ninety_of_its_own(run_server_at_pace_60):
    async def story(server, connect):
        reader, writer = await connect()
        writer.write(b"GET / HTTP/1.1\r\nHost: s\r\n\r\n")
        await answer(reader)
        await asyncio.sleep(80 * 60)
        writer.write(b"GET / HTTP/1.1\r\nHost: s\r\n\r\n")
        assert (await answer(reader))[2] == b"hello"
        began = asyncio.get_running_loop().time()
        assert await reader.read() == b""
        assert 90 * 60 <= asyncio.get_running_loop().time() - began <= 90 * 60 + 2

    run_server_at_pace_60(story)


def test_a_first_request_from_another_time_may_take_half_a_minute_of_that(run_server_at_pace_60):
    async def story(server, connect):
        reader, writer = await connect()
        await asyncio.sleep(30 * 60)
        writer.write(b"GET / HTTP/1.1\r\nHost: s\r\n\r\n")
        assert (await answer(reader))[2] == b"hello"

    run_server_at_pace_60(story)


@pytest.mark.parametrize("alpn", ["h2", "http/1.1"])
def test_a_client_too_many_is_told_so_in_http_and_its_connection_ends(run_server_at_pace_60, alpn):
    async def story(server, connect):
        reader, writer = await connect(alpn, refusal="too many connections from 10.1.1.1: …")
        if alpn == "h2":
            client = Client(reader, writer)
            stream = client.ask("/")
            head = await client.until(h2.events.ResponseReceived, stream)
            assert dict(head.headers)[":status"] == "429"
            await client.until(h2.events.ConnectionTerminated)
        else:
            writer.write(b"GET / HTTP/1.1\r\nHost: s\r\n\r\n")
            status, headers, body = await answer(reader)
            assert status == "HTTP/1.1 429 Too Many Requests"
            assert headers["Connection"] == "close"
            assert "too many connections from 10.1.1.1" in body.decode()
            assert await reader.read() == b""
        assert server.seen == []

    run_server_at_pace_60(story)


def test_a_whole_answer_over_http11_leaves_in_one_segment(run_server):
    async def story(server, connect):
        reader, writer = await connect("http/1.1")
        writer.write(b"GET / HTTP/1.1\r\nHost: s\r\n\r\n")
        assert (await reader.read(65536)).endswith(b"\r\n\r\nhello")

    run_server(story)


def test_a_watch_over_http10_is_not_chunked(run_server):
    async def story(server, connect):
        reader, writer = await connect("http/1.1")
        writer.write(b"GET /watch HTTP/1.0\r\nHost: s\r\n\r\n")
        assert b"chunked" not in (await reader.readuntil(b"\r\n\r\n")).lower()
        server.writers[0].write(b"first\n")
        assert await reader.readline() == b"first\n"

    run_server(story)


def test_a_watch_over_http11_whose_client_does_not_read_queues_and_goes_on_in_order(run_server):
    async def story(server, connect):
        reader, writer = await connect("http/1.1")
        writer.write(b"GET /watch HTTP/1.1\r\nHost: s\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        lines = [b"%06d " % number + b"x" * 1000 + b"\n" for number in range(1000)]
        for line in lines:
            server.writers[0].write(line)
            await asyncio.sleep(0.001)
        assert server.writers[0].backlog > 0
        for line in lines:
            assert await reader.readuntil(line + b"\r\n") == b"%x\r\n" % len(line) + line + b"\r\n"


@pytest.mark.parametrize("ending", ["reset", "loss", "answer"])
def test_bodies_of_all_requests_together_have_a_bound(run_server, monkeypatch, ending):
    monkeypatch.setattr(exchange, "BODIES_BYTES_MAX", 30_000)

    async def story(server, connect):
        greedy, client = await connect(), await connect()
        begun = greedy.h2.get_next_available_stream_id()
        greedy.h2.send_headers(begun, [(":method", "POST"), *HEAD[1:], (":path", "/")])
        for _ in range(2):
            greedy.h2.send_data(begun, b"x" * 10_000)
        greedy.flush()
        await asyncio.sleep(1)
        refused = await client.until(h2.events.ResponseReceived, client.ask(method="POST", body=b"x" * 15_000))
        assert dict(refused.headers)[":status"] == "429"
        if ending == "reset":
            greedy.h2.reset_stream(begun)
        elif ending == "answer":
            greedy.h2.end_stream(begun)
        else:
            greedy.writer.close()
        if ending != "loss":
            greedy.flush()
        await asyncio.sleep(1)
        for _ in range(5):
            answered = await client.until(h2.events.ResponseReceived, client.ask(method="POST", body=b"x" * 15_000))
            assert dict(answered.headers)[":status"] == "200"
            await client.listen()

    run_server(story)


@pytest.mark.bears_bugs
@pytest.mark.parametrize(("path", "begun"), [("/broken", b""), ("/breaks", b"begun ")])
def test_a_bug_in_a_handler_resets_its_stream_and_no_other(run_server, path, begun):
    async def story(server, connect):
        client = await connect()
        watch, broken = client.ask("/watch"), client.ask(path)
        reset = await client.until(h2.events.StreamReset)
        assert (reset.stream_id, reset.error_code) == (broken, h2.errors.ErrorCodes.INTERNAL_ERROR)
        assert client.body(broken) == begun
        server.writers[0].write(b"event")
        await client.listen()
        assert client.body(watch) == b"event"
        assert server.process.is_alive

    run_server(story)


@pytest.mark.bears_bugs
@pytest.mark.parametrize(("path", "begun"), [("/broken", b""), ("/breaks", b"begun ")])
def test_a_bug_in_a_handler_ends_its_http11_connection_before_the_body_is_whole(run_server, path, begun):
    async def story(server, connect):
        reader, writer = await connect("http/1.1")
        writer.write(f"GET {path} HTTP/1.1\r\nHost: server\r\n\r\n".encode())
        said = await reader.read()
        assert begun in said
        assert not said.endswith(b"0\r\n\r\n")
        reader, writer = await connect("http/1.1")
        writer.write(b"GET / HTTP/1.1\r\nHost: server\r\n\r\n")
        assert (await answer(reader))[2] == b"hello"

    run_server(story)


def test_a_request_that_is_taken_back_at_once_is_not_begun(run_server):
    async def story(server, connect):
        client = await connect()
        await client.listen()
        number = client.h2.get_next_available_stream_id()
        client.h2.send_headers(number, [*HEAD, (":path", "/slow")], end_stream=True)
        client.h2.reset_stream(number)
        client.flush()
        await client.listen()
        gc.collect()  # a coroutine that nobody awaits is told of when it is collected
        assert server.seen == []

    run_server(story)
