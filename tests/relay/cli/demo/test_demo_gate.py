from functools import partial

import pytest
import trio

from hutong.relay.demo.cosmos.gate import Gate


@pytest.fixture
async def echo(nursery):
    async def answer(stream):
        async for chunk in stream:
            await stream.send_all(chunk)

    listeners = await nursery.start(partial(trio.serve_tcp, answer, 0, host="127.0.0.1"))
    return listeners[0].socket.getsockname()[1]


@pytest.fixture
async def gate(nursery, echo):
    gate = Gate(echo)
    await nursery.start(gate.serve)
    return gate


async def connect(gate: Gate) -> trio.SocketStream:
    return await trio.open_tcp_stream("127.0.0.1", gate.port)


async def ask(stream: trio.SocketStream, text: bytes) -> bytes:
    await stream.send_all(text)
    return bytes(await stream.receive_some())


async def has_ended(stream: trio.SocketStream) -> bool:
    try:
        return await stream.receive_some() == b""
    except trio.BrokenResourceError:
        return True


async def test_open_gate_passes_bytes_both_ways_and_the_end(gate):
    async with await connect(gate) as stream:
        assert await ask(stream, b"one") == b"one"
        assert await ask(stream, b"two") == b"two"
        await stream.send_eof()
        assert await stream.receive_some() == b""


async def test_shut_gate_breaks_connections_off_and_refuses_new_ones_until_it_is_opened(gate):
    async with await connect(gate) as stream:
        assert await ask(stream, b"one") == b"one"
        gate.shut()
        assert await has_ended(stream)
    async with await connect(gate) as refused:
        assert await has_ended(refused)
    gate.open()
    async with await connect(gate) as stream:
        assert await ask(stream, b"again") == b"again"


async def test_gate_before_nothing_ends_connections_as_nothing_does(nursery):
    gate = Gate(1)
    await nursery.start(gate.serve)
    async with await connect(gate) as stream:
        assert await has_ended(stream)
