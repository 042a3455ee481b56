"""The signer's end: one node at a time, one request after the other, each checked against the record before it is signed."""

import ssl
from collections.abc import Callable
from pathlib import Path

import trio

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.tendermint.skip_certificate import SkipSignature, SkipStatement
from hutong.relay.hub.consensus.signing import DoubleSignRefused, SkipRefused
from hutong.relay.hub.consensus.types import Proposal, Step, Vote
from hutong.relay.hub.engine.block_signer import SignerAway
from hutong.relay.hub.engine.signer import RecordedSigner
from hutong.relay.hub.network.link.frames import StreamEnded
from hutong.relay.hub.network.link.greetings import Greeting, Greetings
from hutong.relay.hub.network.link.node_key import UnusableCertificate
from hutong.relay.hub.network.link.tls import peer_id, server_context
from hutong.relay.hub.network.network_file import Network
from hutong.relay.hub.remote_signer.codec import (
    HEAD_BYTES,
    VERSION,
    Hello,
    Message,
    Refusal,
    Refused,
    SignedAnswer,
    SignProposalRequest,
    SignSkipRequest,
    SignVoteRequest,
    Welcome,
    decode,
    encode,
    parse_head,
)
from hutong.relay.hub.remote_signer.turns import Turns
from hutong.relay.telemetry import get_logger

HANDSHAKE_LIMIT_S = 8.0
WRITE_LIMIT_S = 8.0
IDLE_LIMIT_S = 60.0
"""A node whose host died holds the signer no longer than that; one that lives connects anew."""
SAY_STRANGERS_EVERY_S = 1.0

_ENDINGS = (StreamEnded, trio.TooSlowError, trio.BrokenResourceError, trio.ClosedResourceError, OSError)
_log = get_logger("signer")


class _Turned(Exception):
    """The connection ends with this refusal."""

    def __init__(self, refused: Refused) -> None:
        self.refused = refused
        super().__init__(refused.reason)


class SignerServer:
    """`run` ends only by cancellation or a bug."""

    def __init__(self, home: Path, nodes: Network, signer: RecordedSigner, chain_id: str) -> None:
        self._listen = nodes.listen
        self._certificates = {peer.node_id: peer.certificate for peer in nodes.peers}
        self._context = server_context(home, self._certificates.values())
        self._signer = signer
        self._chain_id = chain_id
        self._turns = Turns(home)
        self._signing = trio.Lock()
        self._threads = trio.CapacityLimiter(1)
        self._greetings = Greetings(peer.endpoint.host for peer in nodes.peers)
        self._served: tuple[str, trio.CancelScope] | None = None
        self._strangers_said_at_s = float("-inf")

    async def run(self, *, task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve one node at a time until cancelled; started with the port that is bound.

        How a connection ends is logged and never raised.

        Raises:
            OSError: the port cannot be had.
        """
        listeners = await trio.open_tcp_listeners(self._listen.port, host=self._listen.host)
        port = listeners[0].socket.getsockname()[1]
        task_status.started(port)
        await trio.serve_listeners(self._accept, listeners)

    async def _accept(self, stream: trio.SocketStream) -> None:
        greeting = self._greetings.admit(_host_of(stream))
        if greeting is None:
            await trio.aclose_forcefully(stream)
            return
        tls = trio.SSLStream(stream, self._context, server_side=True, https_compatible=True)
        try:
            await self._converse(tls, greeting)
        except _ENDINGS:
            pass  # the node's end says why, and asks again
        finally:
            self._greetings.leave(greeting)
            with trio.CancelScope(shield=True):
                await trio.aclose_forcefully(tls)

    async def _converse(self, tls: trio.SSLStream[trio.SocketStream], greeting: Greeting) -> None:
        node_id = ""
        try:
            with greeting.scope, trio.fail_after(HANDSHAKE_LIMIT_S):
                node_id = await self._authenticated(tls)
                self._greetings.shown(greeting, node_id)
                await self._greeted(tls)
            if greeting.scope.cancelled_caught:
                return
            self._greetings.leave(greeting)
            await self._serve(tls, node_id)
        except _Turned as error:
            _log.warning("a node is refused", peer=node_id, reason=error.refused.reason)
            with trio.fail_after(WRITE_LIMIT_S):
                await tls.send_all(encode(error.refused))
        except MalformedInput as error:
            _log.warning("a node is refused", peer=node_id, reason=str(error))
            with trio.fail_after(WRITE_LIMIT_S):
                await tls.send_all(encode(Refused(Refusal.MALFORMED, str(error))))
        except UnusableCertificate as error:
            self._stranger(str(error))

    async def _authenticated(self, tls: trio.SSLStream[trio.SocketStream]) -> str:
        try:
            await tls.do_handshake()
        except trio.BrokenResourceError as error:
            if isinstance(error.__cause__, ssl.SSLCertVerificationError):
                raise UnusableCertificate("its certificate is not in signer.toml") from error
            raise
        certificate = tls.getpeercert(binary_form=True)
        node_id = peer_id(certificate)
        # TLS accepts whatever a listed certificate has signed, also in another node's name.
        if self._certificates.get(node_id) != certificate:
            raise UnusableCertificate("its certificate is not in signer.toml")
        return node_id

    def _stranger(self, reason: str) -> None:
        """A stranger must not fill the log."""
        now_s = trio.current_time()
        if now_s - self._strangers_said_at_s >= SAY_STRANGERS_EVERY_S:
            self._strangers_said_at_s = now_s
            _log.warning("a node is refused", peer="unknown", reason=reason)

    async def _greeted(self, tls: trio.SSLStream[trio.SocketStream]) -> None:
        hello = await _read(tls)
        if not isinstance(hello, Hello) or hello.version != VERSION:
            raise _Turned(Refused(Refusal.MALFORMED, f"a hello of version {VERSION} comes first"))
        if hello.chain_id != self._chain_id:
            raise _Turned(
                Refused(Refusal.OTHER_CHAIN, f"this signer signs for {self._chain_id}, not for {hello.chain_id}")
            )

    async def _serve(self, tls: trio.SSLStream[trio.SocketStream], node_id: str) -> None:
        if self._served is not None:
            served, scope = self._served
            if served != node_id:
                raise _Turned(Refused(Refusal.BUSY, f"this signer signs for node {served} now"))
            # The same node, whose older connection broke without a word.
            scope.cancel()
        scope = trio.CancelScope()
        self._served = (node_id, scope)
        _log.info("a node is connected", peer=node_id, height=self._signer.record.height)
        try:
            with scope:
                async with self._signing:
                    welcome = Welcome(self._signer.public_key, self._signer.record)
                await _write(tls, welcome)
                while True:
                    with trio.fail_after(IDLE_LIMIT_S):
                        request = await _read(tls)
                    await _write(tls, await self._answer(node_id, request))
        finally:
            if self._served == (node_id, scope):
                self._served = None
            _log.info("a node is gone", peer=node_id)

    async def _answer(self, node_id: str, request: Message) -> Message:
        match request:
            case SignVoteRequest(vote):
                step = Step.PREVOTE if vote.message_type == 1 else Step.PRECOMMIT
                if vote.validator_address != self._signer.public_key.address:
                    raise MalformedInput("sign_vote.validator_address", "is another validator's")
                asked: Vote | Proposal = vote

                def sign() -> Vote | Proposal:
                    return self._signer.sign_vote(vote)
            case SignProposalRequest(proposal):
                step, asked = Step.PROPOSE, proposal

                def sign() -> Vote | Proposal:
                    return self._signer.sign_proposal(proposal)
            case SignSkipRequest(statement):
                return await self._signed_skip(node_id, statement)
            case _:
                raise MalformedInput("request", "asks for no signature")
        return await self._signed(node_id, asked, step, sign)

    async def _signed_skip(self, node_id: str, statement: SkipStatement) -> Message:
        """It binds the votes of the height above, so that height must belong to the node that asks."""

        def checked() -> SkipSignature:
            self._turns.check(node_id, statement.height + 1, 0, Step.PROPOSE, self._signer.record)
            return self._signer.sign_skip(statement)

        async with self._signing:
            try:
                signed = await trio.to_thread.run_sync(checked, limiter=self._threads)
            except (DoubleSignRefused, SkipRefused) as error:
                _log.warning("a skip is refused", peer=node_id, height=statement.height, reason=str(error))
                return Refused(Refusal.DOUBLE_SIGN, error.reason)
            except OSError as error:
                _log.error("the record cannot be written", peer=node_id, height=statement.height, reason=str(error))
                return Refused(Refusal.FAILED, f"the record cannot be written ({error.strerror})")
            except SignerAway as error:
                return _key_away(node_id, error)
        return SignedAnswer(0, signed.signature)

    async def _signed(
        self, node_id: str, asked: Vote | Proposal, step: Step, sign: Callable[[], Vote | Proposal]
    ) -> Message:
        def checked() -> Vote | Proposal:
            self._turns.check(node_id, asked.height, asked.round, step, self._signer.record)
            return sign()

        async with self._signing:
            try:
                signed = await trio.to_thread.run_sync(checked, limiter=self._threads)
            except DoubleSignRefused as error:
                _log.warning(
                    "a signature is refused", peer=node_id, height=asked.height, round=asked.round, reason=str(error)
                )
                return Refused(Refusal.DOUBLE_SIGN, error.reason)
            except OSError as error:
                _log.error(
                    "the record cannot be written",
                    peer=node_id,
                    height=asked.height,
                    round=asked.round,
                    reason=str(error),
                )
                return Refused(Refusal.FAILED, f"the record cannot be written ({error.strerror})")
            except SignerAway as error:
                return _key_away(node_id, error)
        return SignedAnswer(signed.timestamp_ns, signed.signature)


def _key_away(node_id: str, error: SignerAway) -> Refused:
    """What holds this signer's key gives no signature now; the node asks again."""
    _log.warning("the key is away", peer=node_id, reason=str(error))
    return Refused(Refusal.FAILED, str(error))


def _host_of(stream: trio.SocketStream) -> str:
    try:
        return str(stream.socket.getpeername()[0])
    except OSError:
        return ""  # it is gone already


async def _write(tls: trio.SSLStream[trio.SocketStream], message: Message) -> None:
    with trio.fail_after(WRITE_LIMIT_S):
        await tls.send_all(encode(message))


async def _read(tls: trio.SSLStream[trio.SocketStream]) -> Message:
    kind, size = parse_head(await _exactly(tls, HEAD_BYTES))
    return decode(kind, await _exactly(tls, size))


async def _exactly(tls: trio.SSLStream[trio.SocketStream], size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        part = await tls.receive_some(size - len(data))
        if not part:
            raise StreamEnded
        data += part
    return bytes(data)
