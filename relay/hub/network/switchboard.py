"""Connections with all peers of network.toml: listening, dialling, refusing, sending away.

Of two peers the one with the lower node id dials, so that two connections never cross.
"""

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import trio

from hutong.light_clients.interface import MalformedInput
from hutong.relay.hub.home.home import UnusableHome
from hutong.relay.hub.network.backoff import dial_delay_s
from hutong.relay.hub.network.link.codec import Kind, decode_message, encode_message
from hutong.relay.hub.network.link.frames import StreamEnded, frame, read_frame
from hutong.relay.hub.network.link.greetings import Greeting, Greetings
from hutong.relay.hub.network.link.handshake import Refusal, check_hello
from hutong.relay.hub.network.link.link import Link, PeerOffended
from hutong.relay.hub.network.link.messages import Hello, Message
from hutong.relay.hub.network.link.node_key import NodeKey, UnusableCertificate
from hutong.relay.hub.network.link.tls import client_context, peer_id, server_context
from hutong.relay.hub.network.network_file import Network, Peer
from hutong.relay.hub.network.score import Offence, Score
from hutong.relay.telemetry import get_logger

HANDSHAKE_LIMIT_S = 8.0
SAY_STRANGERS_EVERY_S = 1.0

ENDINGS = (
    MalformedInput,
    StreamEnded,
    trio.TooSlowError,
    trio.BrokenResourceError,
    trio.ClosedResourceError,
    OSError,
)
"""How a connection may end without anything being wrong with this node."""

_log = get_logger("network")


@dataclass(slots=True)
class PeerRecord:
    """What is known of a peer whether or not it is connected."""

    peer: Peer
    client: ssl.SSLContext
    score: Score = field(default_factory=Score)
    failures: int = 0
    last_reason: str = ""
    link: Link | None = None
    dialling: trio.CancelScope = field(default_factory=trio.CancelScope)

    def leave(self) -> None:
        """It is not of network.toml any more: nobody dials it, and its connection closes."""
        self.dialling.cancel()
        if self.link is not None:
            self.link.closing.set()


@dataclass(frozen=True, slots=True)
class NetworkedHome:
    """A node's home, with what its network.toml and its key among peers say."""

    home: Path
    network: Network
    node_key: NodeKey


@dataclass(frozen=True, slots=True)
class Conversation:
    """What is said to a peer and done with what it says."""

    hello: Callable[[], Hello]
    """This node's, asked for at each new connection."""
    handle: Callable[[Link, Message, int], Awaitable[None]]
    """Awaited for each message and its size in bytes, one at a time a peer."""
    connected: Callable[[Link], None]
    """Called for each new link."""


class Switchboard:
    """All connections of one node."""

    def __init__(self, own: NetworkedHome, conversation: Conversation, random: Random) -> None:
        network = own.network
        self.node_id = own.node_key.node_id
        self.listen = network.listen
        self._home = own.home
        self.records = {peer.node_id: self._new_record(peer) for peer in network.peers}
        self._tasks: trio.Nursery | None = None
        self._conversation = conversation
        self._random = random
        self._server = server_context(own.home, [peer.certificate for peer in network.peers])
        self.greetings = Greetings(peer.endpoint.host for peer in network.peers)
        self._strangers_said_at = float("-inf")

    def _new_record(self, peer: Peer) -> PeerRecord:
        return PeerRecord(peer, client_context(self._home, peer.certificate))

    def take(self, network: Network, node_key: NodeKey) -> None:
        """Have the peers of another network.toml from now on. Call it while `run` runs.

        Newcomers are dialled; a peer that is not listed any more is left, and so is one that has another certificate.
        Others keep their connection; a new address is for the next one.

        Raises:
            UnusableHome: this node's own address or key is another; nothing is changed.
        """
        if (network.listen, node_key.node_id) != (self.listen, self.node_id):
            raise UnusableHome(
                f"this node is {self.node_id} at {self.listen}, its home says {node_key.node_id} at {network.listen}:"
                " that takes a start"
            )
        server = server_context(self._home, [peer.certificate for peer in network.peers])
        before, self.records = self.records, {}
        for peer in network.peers:
            record = before.get(peer.node_id)
            if record is None or record.peer.certificate != peer.certificate:
                record = self._new_record(peer)
                self._dial(record)
            record.peer = peer
            self.records[peer.node_id] = record
        left = [record for node_id, record in before.items() if self.records.get(node_id) is not record]
        for record in left:
            record.leave()
        self._server = server
        self.greetings.expect(peer.endpoint.host for peer in network.peers)
        _log.info(
            "peers taken from network.toml",
            peers=len(self.records),
            new=[node_id for node_id, record in self.records.items() if before.get(node_id) is not record],
            left=[record.peer.node_id for record in left],
        )

    @property
    def links(self) -> list[Link]:
        """Of the peers that are connected now; a new list each time."""
        return [record.link for record in self.records.values() if record.link is not None]

    def broadcast(self, message: Message, *, urgent: bool = True) -> None:
        """Encode once and put into every outbox; a peer that is too slow for it misses it. Never waits."""
        data = frame(*encode_message(message))
        for link in self.links:
            link.send_frame(data, urgent=urgent)

    def offend(self, link: Link, offence: Offence, reason: str) -> None:
        """Count an offence of the peer and log it; at the limit it is sent away for a time.

        A peer that did not answer is let go at once, and may come again.
        """
        record = self.records.get(link.node_id)
        if record is None:
            return  # it is being left
        now_s = trio.current_time()
        record.score = record.score.with_offence(offence, now_s)
        record.last_reason = reason
        banned = record.score.is_banned(now_s)
        _log.warning(
            "a peer broke a rule",
            peer=link.node_id,
            reason=reason,
            points=round(record.score.now(now_s)),
            banned_s=round(record.score.banned_until_s - now_s) if banned else 0,
        )
        if banned or offence is Offence.NO_ANSWER:
            link.closing.set()

    async def run(self, *, task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED) -> None:
        """Listen and dial until cancelled; started with the port that is bound.

        How a connection ends is logged and never raised.

        Raises:
            OSError: the port cannot be had.
        """
        listeners = await trio.open_tcp_listeners(self.listen.port, host=self.listen.host)
        port = listeners[0].socket.getsockname()[1]
        async with trio.open_nursery() as nursery:
            self._tasks = nursery
            nursery.start_soon(trio.serve_listeners, self._accept, listeners)
            for record in self.records.values():
                self._dial(record)
            task_status.started(port)

    def _dial(self, record: PeerRecord) -> None:
        assert self._tasks is not None
        if self.node_id < record.peer.node_id:
            self._tasks.start_soon(self._dial_forever, record)

    async def _dial_forever(self, record: PeerRecord) -> None:
        with record.dialling:
            while True:
                await trio.sleep(dial_delay_s(record.failures, self._random))
                wait_s = record.score.banned_until_s - trio.current_time()
                if wait_s > 0:
                    await trio.sleep(wait_s)
                record.failures += 1
                await self._dial_once(record)

    async def _dial_once(self, record: PeerRecord) -> None:
        endpoint = record.peer.endpoint
        try:
            with trio.fail_after(HANDSHAKE_LIMIT_S):
                stream = await trio.open_tcp_stream(endpoint.host, endpoint.port)
        except (OSError, trio.TooSlowError) as error:
            self._unreachable(record, f"{endpoint} cannot be reached: {_why(error)}")
            return
        await self._converse(trio.SSLStream(stream, record.client, https_compatible=True), record)

    async def _accept(self, stream: trio.SocketStream) -> None:
        greeting = self.greetings.admit(_host_of(stream))
        if greeting is None:
            await trio.aclose_forcefully(stream)
            return
        tls = trio.SSLStream(stream, self._server, server_side=True, https_compatible=True)
        await self._converse(tls, None, greeting)

    async def _converse(
        self, tls: trio.SSLStream[trio.SocketStream], expected: PeerRecord | None, greeting: Greeting | None = None
    ) -> None:
        """One connection from its first byte to its last; how it ends is logged, never raised."""
        record, greeted = expected, Greeting("") if greeting is None else greeting
        hello: Hello | None = None
        try:
            try:
                with greeted.scope, trio.fail_after(HANDSHAKE_LIMIT_S):
                    record = await self._authenticated(tls)
                    self.greetings.shown(greeted, record.peer.node_id)
                    hello = await self._greeted(tls, record)
            finally:
                self.greetings.leave(greeted)
            if record is not None and hello is not None:
                await self._linked(tls, record, hello)
        except (Refusal, UnusableCertificate) as error:
            self._refused(record, str(error))
        except ENDINGS as error:
            self._unreachable(record, _why(error))
        finally:
            with trio.CancelScope(shield=True):
                await trio.aclose_forcefully(tls)

    async def _authenticated(self, tls: trio.SSLStream[trio.SocketStream]) -> PeerRecord:
        try:
            await tls.do_handshake()
        except trio.BrokenResourceError as error:
            if isinstance(error.__cause__, ssl.SSLCertVerificationError):
                raise Refusal("its certificate is not in this node's network.toml") from error
            raise
        node_id = peer_id(tls.getpeercert(binary_form=True))
        record = self.records.get(node_id)
        if record is None:
            raise Refusal(f"node {node_id} is not in this node's network.toml", node_id)
        # TLS accepts whatever a listed certificate has signed, also in another node's name.
        if tls.getpeercert(binary_form=True) != record.peer.certificate:
            raise Refusal("its certificate is not the one in this node's network.toml", node_id)
        return record

    async def _greeted(self, tls: trio.SSLStream[trio.SocketStream], record: PeerRecord) -> Hello:
        own, node_id = self._conversation.hello(), record.peer.node_id
        await tls.send_all(frame(*encode_message(own)))
        try:
            kind, payload = await read_frame(tls)
        except (StreamEnded, trio.BrokenResourceError) as error:
            raise Refusal(
                "it closed the connection before it said hello: does its network.toml hold this node's certificate?"
            ) from error
        hello = decode_message(kind, payload) if kind is Kind.HELLO else None
        if not isinstance(hello, Hello):
            raise Refusal("it did not say hello first")
        check_hello(own, hello)
        if record.score.is_banned(trio.current_time()):
            raise Refusal(f"peer {node_id} is sent away for {record.score.banned_until_s - trio.current_time():.0f} s")
        if record.link is not None:
            raise Refusal(f"peer {node_id} is connected already")
        if self.records.get(node_id) is not record:
            raise Refusal(f"peer {node_id} was taken out of this node's network.toml meanwhile")
        return hello

    async def _linked(self, tls: trio.SSLStream[trio.SocketStream], record: PeerRecord, hello: Hello) -> None:
        link = Link(record.peer.node_id, tls, hello)
        record.link, record.failures, record.last_reason = link, 0, ""
        _log.info("peer connected", peer=link.node_id, height=hello.height)
        try:
            self._conversation.connected(link)
            await link.run(self._conversation.handle)
        except PeerOffended as error:
            self.offend(link, error.offence, error.reason)
        except MalformedInput as error:
            self.offend(link, Offence.MALFORMED, str(error))
        finally:
            record.link = None
            _log.info("peer gone", peer=link.node_id)

    def _refused(self, record: PeerRecord | None, reason: str) -> None:
        """A stranger must not fill the log."""
        now_s = trio.current_time()
        if record is not None:
            if record.last_reason == reason:
                return
            record.last_reason = reason
        elif now_s - self._strangers_said_at < SAY_STRANGERS_EVERY_S:
            return
        else:
            self._strangers_said_at = now_s
        _log.warning("peer refused", peer="unknown" if record is None else record.peer.node_id, reason=reason)

    def _unreachable(self, record: PeerRecord | None, reason: str) -> None:
        if record is None:
            return
        if reason != record.last_reason:
            _log.info("peer not reached", peer=record.peer.node_id, reason=reason)
        record.last_reason = reason


def _host_of(stream: trio.SocketStream) -> str:
    try:
        return str(stream.socket.getpeername()[0])
    except OSError:
        return ""  # it is gone already


def _why(error: BaseException) -> str:
    """One sentence of an exception that ended a connection."""
    cause = error.__cause__ if isinstance(error, trio.BrokenResourceError) and error.__cause__ else error
    if isinstance(cause, StreamEnded):
        return "it closed the connection"
    if isinstance(cause, trio.TooSlowError):
        return "it did not answer in time"
    if isinstance(cause, OSError):
        return cause.strerror or str(cause) or type(cause).__name__
    return str(cause) or type(cause).__name__
