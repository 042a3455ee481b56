"""A signer for a stock CometBFT node: it dials the node's priv_validator_laddr, for ever, and signs by its record.

The record is that of our own validators, which forbids all that CometBFT's FilePV forbids: an earlier height, round or
step, and other bytes at the same one; what differs by its time alone is answered with the signature and time on record.

Sources: cometbft v0.38 privval/{file,signer_server,signer_requestHandler}.go.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import trio

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.tendermint.types import SignedMessageType
from hutong.relay.hub.consensus.signing import DoubleSignRefused
from hutong.relay.hub.consensus.types import Proposal, Vote
from hutong.relay.hub.engine.block_signer import SignerAway
from hutong.relay.hub.engine.signer import RecordedSigner
from hutong.relay.hub.remote_signer.privval_home import DialledNode
from hutong.relay.keys.documents import ConsensusVoteExtension
from hutong.relay.keys.privval.framing import READ_BYTES, FrameReader, frame
from hutong.relay.keys.privval.messages import (
    Answer,
    KeyAnswer,
    KeyRequest,
    Ping,
    Pong,
    ProposalRequest,
    RefusedKey,
    RefusedProposal,
    RefusedVote,
    Request,
    SignedProposal,
    SignedVote,
    VoteRequest,
    parse_request,
)
from hutong.relay.telemetry import get_logger

FIRST_WAIT_S, MOST_WAIT_S = 0.1, 2.0
"""Between two attempts to reach the node."""
SILENT_LIMIT_S = 30.0
"""CometBFT pings every few seconds: a node that says nothing for so long is dialled anew."""
WRITE_LIMIT_S = 5.0

_log = get_logger("signer")


class PrivvalService:
    """One node, one connection, one request at a time."""

    def __init__(self, node: DialledNode, signer: RecordedSigner, random: Random) -> None:
        """`random` spreads the attempts in time."""
        self._node, self._signer, self._random = node, signer, random
        self._threads = trio.CapacityLimiter(1)

    async def run(self) -> None:
        """Serve until cancelled. A node that is away is looked for, ever less often, at least every MOST_WAIT_S."""
        wait_s, said = FIRST_WAIT_S, ""
        while True:
            try:
                stream = await trio.open_unix_socket(str(self._node.path))
                async with stream:
                    _log.info("connected to the node", peer=self._node.address)
                    wait_s, said = FIRST_WAIT_S, ""
                    await self._serve(stream)
                reason = "it closed the connection"
            except OSError as error:
                reason = error.strerror or str(error)
            except (trio.BrokenResourceError, trio.TooSlowError):
                reason = "the connection broke"
            except MalformedInput as error:
                reason = str(error)
            if reason != said:
                said = reason
                _log.warning("the node is away", peer=self._node.address, reason=reason)
            await trio.sleep(wait_s * self._random.uniform(0.5, 1.0))
            wait_s = min(MOST_WAIT_S, 2 * wait_s)

    async def _serve(self, stream: trio.SocketStream) -> None:
        reader = FrameReader()
        while True:
            with trio.fail_after(SILENT_LIMIT_S):
                body = await _next(stream, reader)
            if body is None:
                return
            # A signature that is being made is put on record whatever happens here.
            answer = await trio.to_thread.run_sync(self.answer, parse_request(body), limiter=self._threads)
            with trio.fail_after(WRITE_LIMIT_S):
                await stream.send_all(frame(answer))

    def answer(self, request: Request) -> Answer:
        """What a request gets; blocking."""
        match request:
            case Ping():
                return Pong()
            case KeyRequest(chain_id):
                reason = self._foreign(chain_id)
                return KeyAnswer(self._signer.public_key) if reason is None else RefusedKey(reason)
            case VoteRequest():
                return self._signed_or(lambda: self._signed_vote(request), RefusedVote, request)
            case ProposalRequest():
                return self._signed_or(lambda: self._signed_proposal(request), RefusedProposal, request)

    def _foreign(self, chain_id: str) -> str | None:
        return None if chain_id == self._node.chain_id else f"this signer signs for {self._node.chain_id}"

    def _signed_or(
        self,
        sign: Callable[[], Answer],
        refused: Callable[[str], Answer],
        request: VoteRequest | ProposalRequest,
    ) -> Answer:
        document = request.document
        reason = self._foreign(document.chain_id)
        if reason is None:
            try:
                return sign()
            except (DoubleSignRefused, SignerAway) as error:
                reason = str(error)
            except OSError as error:
                reason = f"the record cannot be written ({error.strerror})"
        _log.warning("a signature is refused", height=document.height, round=document.round, reason=reason)
        return refused(reason)

    def _signed_vote(self, request: VoteRequest) -> Answer:
        asked = request.document
        address = self._signer.public_key.address
        if request.validator_address not in (b"", address):
            return RefusedVote("the vote is another validator's")
        is_for_block = asked.message_type is SignedMessageType.PRECOMMIT and not asked.block_id.is_zero
        if request.extension and not is_for_block:
            return RefusedVote("only a precommit for a block may have an extension")
        signed = self._signer.sign_vote(
            Vote(
                asked.message_type,
                asked.height,
                asked.round,
                asked.block_id,
                asked.timestamp_ns,
                request.validator_index,
                address,
            )
        )
        # CometBFT 0.38 wants this signature with every such precommit, also where its chain has no extensions.
        extension = b""
        if is_for_block:
            extension = self._signer.sign_extension(
                ConsensusVoteExtension(asked.chain_id, asked.height, asked.round, request.extension)
            )
        made = replace(request, document=replace(asked, timestamp_ns=signed.timestamp_ns))
        return SignedVote(made, signed.signature, extension)

    def _signed_proposal(self, request: ProposalRequest) -> Answer:
        asked = request.document
        signed = self._signer.sign_proposal(
            Proposal(asked.height, asked.round, asked.pol_round, asked.block_id, asked.timestamp_ns)
        )
        made = replace(request, document=replace(asked, timestamp_ns=signed.timestamp_ns))
        return SignedProposal(made, signed.signature)


async def _next(stream: trio.SocketStream, reader: FrameReader) -> bytes | None:
    """The next message, or None where the node closed. Raises MalformedInput."""
    while (body := reader.next()) is None:
        data = await stream.receive_some(READ_BYTES)
        if not data:
            return None
        reader.feed(data)
    return body


def describe(home: Path, node: DialledNode, signer: RecordedSigner) -> str:
    """The line that says that the signer is ready."""
    return (
        f"signer of {node.chain_id} in {home} ready for {node.address}: key {signer.public_key.address.hex().upper()},"
        f" record at height {signer.record.height}"
    )
