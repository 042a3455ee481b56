"""The engine's side of an ABCI socket, for tests: what CometBFT's socket client does (abci/client/socket_client.go)."""

import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio

from hutong.light_clients.protobuf import abci_pb2
from hutong.relay.hub.abci.address import ListenAddress, listen_at
from hutong.relay.hub.abci.framing import encode_message
from hutong.relay.hub.abci.genesis import cometbft_genesis
from hutong.relay.hub.abci.machine import HubMachine
from hutong.relay.hub.abci.server import AbciServer
from hutong.relay.hub.application.genesis import Genesis

ANSWER_TIMEOUT_S = 300


class Refused(Exception):
    """The application answered with an exception."""


class AbciClient:
    """One connection. `hangs_up`: when it is told an exception, as CometBFT does."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self.hangs_up = True
        self._received = bytearray()

    async def call(self, kind: str, **fields: Any) -> Any:
        """Ask, flush, and return the answer's own message."""
        await self.send(request(kind, **fields), request("flush"))
        response = await self.receive()
        found = response.WhichOneof("value")
        if found == "exception":
            if self.hangs_up:
                await self.stream.send_eof()
            raise Refused(response.exception.error)
        assert found == kind
        assert (await self.receive()).WhichOneof("value") == "flush"
        return getattr(response, kind)

    async def send(self, *requests: abci_pb2.Request) -> None:
        await self.stream.send_all(b"".join(encode_message(one) for one in requests))

    async def receive(self) -> abci_pb2.Response:
        """The next answer; EOFError where the connection ended."""
        with trio.fail_after(ANSWER_TIMEOUT_S):
            length = shift = 0
            while True:
                (byte,) = await self._exactly(1)
                length |= (byte & 0x7F) << shift
                if byte < 0x80:
                    break
                shift += 7
            return abci_pb2.Response.FromString(await self._exactly(length))

    async def ended(self) -> bool:
        """Whether the application closes the connection; what it still says is thrown away."""
        with trio.fail_after(ANSWER_TIMEOUT_S):
            try:
                while await self.stream.receive_some(65_536):
                    pass
            except trio.BrokenResourceError:
                pass
            return True

    async def _exactly(self, size: int) -> bytes:
        while len(self._received) < size:
            data = await self.stream.receive_some(65_536)
            if not data:
                raise EOFError
            self._received += data
        found = bytes(self._received[:size])
        del self._received[:size]
        return found


def request(kind: str, **fields: Any) -> abci_pb2.Request:
    return abci_pb2.Request(**{kind: fields})


class Application:
    """A machine that serves a socket."""

    def __init__(self, machine: HubMachine, path: str) -> None:
        self.machine, self.path = machine, path
        self.committed: list[int] = []
        self._streams: list[trio.SocketStream] = []

    async def connect(self) -> AbciClient:
        stream = await trio.open_unix_socket(self.path)
        self._streams.append(stream)
        return AbciClient(stream)

    def close(self) -> None:
        for stream in self._streams:
            stream.socket.close()


@asynccontextmanager
async def serving(machine: HubMachine) -> AsyncIterator[Application]:
    """Until the block ends; what the application halts with comes out of it."""
    with tempfile.TemporaryDirectory(dir="/tmp") as directory:
        listener, address = listen_at(ListenAddress(Path(directory) / "abci.sock"))
        application = Application(machine, str(address.path))

        async def on_commit(height: int) -> None:
            application.committed.append(height)

        async with trio.open_nursery() as nursery:
            await nursery.start(AbciServer(machine, on_commit).serve, [listener])
            try:
                yield application
            finally:
                application.close()
                nursery.cancel_scope.cancel()


def init_chain(genesis: Genesis) -> abci_pb2.RequestInitChain:
    """What CometBFT asks after it has read the genesis document that `hub init` writes (consensus/replay.go)."""
    document = json.loads(cometbft_genesis(genesis))
    params = document["consensus_params"]
    found = abci_pb2.RequestInitChain(
        chain_id=document["chain_id"],
        initial_height=int(document["initial_height"]),
        app_state_bytes=json.dumps(document["app_state"]).encode(),
    )
    found.time.FromJsonString(document["genesis_time"])
    found.consensus_params.block.max_bytes = int(params["block"]["max_bytes"])
    found.consensus_params.block.max_gas = int(params["block"]["max_gas"])
    found.consensus_params.evidence.max_age_num_blocks = int(params["evidence"]["max_age_num_blocks"])
    found.consensus_params.evidence.max_age_duration.FromNanoseconds(int(params["evidence"]["max_age_duration"]))
    found.consensus_params.evidence.max_bytes = int(params["evidence"]["max_bytes"])
    found.consensus_params.validator.pub_key_types.extend(params["validator"]["pub_key_types"])
    found.consensus_params.version.app = int(params["version"]["app"])
    for validator in genesis.validators:
        found.validators.add(power=validator.power).pub_key.secp256k1 = validator.public_key.data
    return found
