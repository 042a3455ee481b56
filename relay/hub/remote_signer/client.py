"""The node's end: signatures asked of a signer over mutual TLS with a pinned certificate."""

import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.tendermint.hashing import sign_digest
from hutong.light_clients.tendermint.skip_certificate import SkipSignature, SkipStatement, skip_digest
from hutong.light_clients.tendermint.types import KeyType, PublicKey
from hutong.relay.hub.consensus.proposals import proposal_bytes
from hutong.relay.hub.consensus.signing import DoubleSignRefused, LastSigned, SignedSkip, SkipRefused
from hutong.relay.hub.consensus.types import Proposal, Step, Vote
from hutong.relay.hub.consensus.votes import vote_bytes
from hutong.relay.hub.engine.block_signer import SignerAway
from hutong.relay.hub.engine.signer import RecordedSigner, SavedProposal
from hutong.relay.hub.network.link.tls import client_context
from hutong.relay.hub.network.network_file import Peer
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

CLOSED = "it closed the connection"


@dataclass(slots=True)
class _Connection:
    stream: ssl.SSLSocket
    welcome: Welcome


class RemoteSigner(SavedProposal):
    """Blocking, at most `limit_s` a call. `record` is the signer's as of the last `connect`: it moves there, not here."""

    def __init__(self, home: Path, place: Peer, chain_id: str, limit_s: float) -> None:
        super().__init__(home)
        self.place = place
        self.record = LastSigned()
        self._public_key: PublicKey | None = None
        self._chain_id = chain_id
        self._limit_s = limit_s
        self._context = client_context(home, place.certificate)
        self._lock = threading.Lock()
        self._connection: _Connection | None = None
        self._reason = "not asked yet"
        self._signed = (0, 0)
        """Height and round of the newest signature that came from it."""

    @property
    def public_key(self) -> PublicKey:
        """The signer's key; may be asked only after the first `connect` that succeeded."""
        assert self._public_key is not None
        return self._public_key

    @property
    def name(self) -> str:
        """The signer's id, as logs have it."""
        return self.place.node_id

    @property
    def is_connected(self) -> bool:
        """Whether a connection is there, as far as the last request showed."""
        return self._connection is not None

    def connect(self) -> None:
        """Connect and greet within `limit_s`, in place of an older connection; takes over the signer's key and record.

        Raises:
            SignerAway: it does not answer, is another, serves another node, or has forgotten what it signed.
        """
        with self._lock:
            self._drop("it is being connected")
        try:
            connection = self._connected()
        except (OSError, MalformedInput) as error:
            self._reason = _why(error)
            raise self._away(self._reason) from None
        try:
            self._check(connection.welcome)
        except SignerAway:
            connection.stream.close()
            raise
        with self._lock:
            self._connection = connection
            self._public_key, self.record = connection.welcome.public_key, connection.welcome.record

    def _connected(self) -> _Connection:
        deadline = time.monotonic() + self._limit_s
        endpoint = self.place.endpoint
        plain = socket.create_connection((endpoint.host, endpoint.port), timeout=self._limit_s)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            stream = self._context.wrap_socket(plain)
        except BaseException:
            plain.close()
            raise
        try:
            # TLS accepts whatever the pinned certificate has signed, too.
            if stream.getpeercert(binary_form=True) != self.place.certificate:
                raise MalformedInput("signer", "shows another certificate than the one of consensus_key.toml")
            answer = _greet(stream, Hello(VERSION, self._chain_id), deadline)
            if isinstance(answer, Refused):
                raise MalformedInput("signer", answer.reason)
            if not isinstance(answer, Welcome):
                raise MalformedInput("signer", "does not answer as a signer")
        except BaseException:
            stream.close()
            raise
        return _Connection(stream, answer)

    def _check(self, welcome: Welcome) -> None:
        if self._public_key is not None and welcome.public_key != self._public_key:
            raise self._away(
                f"has key {welcome.public_key.address.hex().upper()} now: restart the node if that is meant"
            )
        if (welcome.record.height, welcome.record.round) < self._signed:
            height, round_ = self._signed
            raise self._away(
                f"has a record that ends at height {welcome.record.height} round {welcome.record.round}, but it signed"
                f" height {height} round {round_} for this node: its record was rolled back"
            )

    def sign_vote(self, vote: Vote) -> Vote:
        """The vote with a signature that was verified here.

        Its time may be that of an earlier signature for the same vote.

        Raises:
            DoubleSignRefused: the signer's record forbids it.
            SignerAway: it does not answer in time, or falsely; the connection is closed, and `connect` is next.
        """
        step = Step.PREVOTE if vote.message_type == 1 else Step.PRECOMMIT

        def at(timestamp_ns: int) -> bytes:
            return vote_bytes(self._chain_id, replace(vote, timestamp_ns=timestamp_ns))

        answer = self._sign(SignVoteRequest(vote), vote.height, vote.round, step, at)
        return replace(vote, timestamp_ns=answer.timestamp_ns, signature=answer.signature)

    def sign_proposal(self, proposal: Proposal) -> Proposal:
        """The proposal with its signature, in everything as `sign_vote`.

        Raises:
            DoubleSignRefused, SignerAway: as `sign_vote`.
        """

        def at(timestamp_ns: int) -> bytes:
            return proposal_bytes(self._chain_id, replace(proposal, timestamp_ns=timestamp_ns))

        answer = self._sign(SignProposalRequest(proposal), proposal.height, proposal.round, Step.PROPOSE, at)
        return replace(proposal, timestamp_ns=answer.timestamp_ns, signature=answer.signature)

    def sign_skip(self, statement: SkipStatement) -> SkipSignature:
        """The key's signature, verified here, that the block of `statement` counts as empty.

        Raises:
            SkipRefused: the signer's record forbids it.
            SignerAway: as `sign_vote`.
        """
        with self._lock:
            answer = self._answer(SignSkipRequest(statement))
            if isinstance(answer, Refused) and answer.refusal is Refusal.DOUBLE_SIGN:
                raise SkipRefused(statement, answer.reason)
            if isinstance(answer, SignedAnswer):
                key = self.public_key.data
                if secp256k1.verify_low_s(key, skip_digest(statement), answer.signature):
                    self.record = replace(self.record, skip=SignedSkip(statement, answer.signature))
                    return SkipSignature(key, answer.signature)
                reason = "sent a signature that is not its key's"
            else:
                reason = answer.reason if isinstance(answer, Refused) else "does not answer as a signer"
            self._drop(reason)
            raise self._away(reason)

    def _sign(self, request: Message, height: int, round_: int, step: Step, at: Callable[[int], bytes]) -> SignedAnswer:
        with self._lock:
            answer = self._answer(request)
            if isinstance(answer, Refused) and answer.refusal is Refusal.DOUBLE_SIGN:
                raise DoubleSignRefused(height, round_, step, answer.reason)
            if isinstance(answer, SignedAnswer):
                digest = sign_digest(KeyType.SECP256K1, at(answer.timestamp_ns))
                if secp256k1.verify_low_s(self.public_key.data, digest, answer.signature):
                    self._signed = max(self._signed, (height, round_))
                    return answer
                reason = "sent a signature that is not its key's"
            else:
                reason = answer.reason if isinstance(answer, Refused) else "does not answer as a signer"
            self._drop(reason)
            raise self._away(reason)

    def _answer(self, request: Message) -> Message:
        connection = self._connection
        if connection is None:
            raise self._away(self._reason)
        try:
            return _ask(connection.stream, request, time.monotonic() + self._limit_s)
        except (OSError, MalformedInput) as error:
            # An answer that comes too late must not pass for that of the next request.
            self._drop(_why(error))
            raise self._away(self._reason) from None

    def passed(self, height: int) -> None:
        """Not told: the record of a signer moves by its own signatures, never by a node's word."""

    def close(self) -> None:
        """Close the connection; a later request raises SignerAway."""
        with self._lock:
            self._drop("closed")

    def _drop(self, reason: str) -> None:
        self._reason = reason
        if self._connection is not None:
            self._connection.stream.close()
            self._connection = None

    def _away(self, reason: str) -> SignerAway:
        return SignerAway(f"signer {self.place}: {reason}")


NodeSigner = RecordedSigner | RemoteSigner


def _greet(stream: ssl.SSLSocket, hello: Hello, deadline: float) -> Message:
    """Under TLS 1.3 a node learns only now that its certificate was not taken."""
    try:
        return _ask(stream, hello, deadline)
    except (ConnectionError, ssl.SSLError):
        raise MalformedInput("signer", f"{CLOSED}: does its signer.toml hold this node's certificate?") from None


def _ask(stream: ssl.SSLSocket, message: Message, deadline: float) -> Message:
    stream.settimeout(_left_s(deadline))
    stream.sendall(encode(message))
    kind, size = parse_head(_exactly(stream, HEAD_BYTES, deadline))
    return decode(kind, _exactly(stream, size, deadline))


def _exactly(stream: ssl.SSLSocket, size: int, deadline: float) -> bytes:
    data = bytearray()
    while len(data) < size:
        stream.settimeout(_left_s(deadline))
        part = stream.recv(size - len(data))
        if not part:
            raise ConnectionResetError(CLOSED)
        data += part
    return bytes(data)


def _left_s(deadline: float) -> float:
    left_s = deadline - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return "its certificate is not the one of consensus_key.toml"
    if isinstance(error, MalformedInput):
        return error.reason
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({error.reason})"
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
