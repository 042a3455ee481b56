"""The kind `privval`: a stock signer holds a validator's key, dials this node's unix socket, and signs votes and proposals."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import trio

from hutong.adapters.interface.errors import DocumentUnsupported, SignerFaulty, SignerUnavailable, SigningRefused
from hutong.light_clients.tendermint.types import KeyType, PublicKey
from hutong.relay.config import PrivvalConfig
from hutong.relay.keys.documents import ConsensusProposal, ConsensusVote, SigningDocument
from hutong.relay.keys.privval.listener import SignerAbsent, SignerListener, SocketUnusable
from hutong.relay.keys.privval.messages import (
    Answer,
    ProposalRequest,
    RefusedProposal,
    RefusedVote,
    SignedProposal,
    SignedVote,
    VoteRequest,
)
from hutong.relay.keys.signatures import finished_signature
from hutong.relay.keys.source import KeyAlgorithm, SourceHealth
from hutong.relay.keys.sources.signed_earlier import SignedEarlier

T = TypeVar("T")


class PrivvalKey:
    """The socket is opened at the first use. Requests are asked one after the other; a signer may come and go.

    The signer keeps a record of its own, and refuses by it. Whoever asks keeps another: this protects against what asks,
    that one against a signer whose record was lost.
    """

    def __init__(self, config: PrivvalConfig) -> None:
        self._config = config
        self._public_key = PublicKey(KeyType.SECP256K1, config.key)
        self._listener = SignerListener(config.path, config.chain_id, self._public_key, config.timeout_ms / 1000)

    @property
    def name(self) -> str:
        """See `KeySource`."""
        return self._config.place

    @property
    def algorithm(self) -> KeyAlgorithm:
        """See `KeySource`."""
        return KeyAlgorithm.SECP256K1

    @property
    def public_key(self) -> bytes:
        """See `KeySource`."""
        return self._config.key

    async def sign(self, document: SigningDocument) -> bytes:
        """See `KeySource`: votes and proposals of the configured chain.

        Raises:
            SignedEarlier: the signer repeats an earlier signature, whose time is another.
        """
        match document:
            case ConsensusVote():
                request: VoteRequest | ProposalRequest = VoteRequest(document, self._public_key.address)
            case ConsensusProposal():
                request = ProposalRequest(document)
            case _:
                raise DocumentUnsupported(self.name, f"a signer of CometBFT's protocol signs no {document.kind}")
        if document.chain_id != self._config.chain_id:
            raise DocumentUnsupported(self.name, f"is of {self._config.chain_id}, not of {document.chain_id[:50]}")
        return self._checked(document, await self._ask(lambda: self._listener.ask(request)))

    def _checked(self, document: ConsensusVote | ConsensusProposal, answer: Answer) -> bytes:
        if isinstance(answer, RefusedVote | RefusedProposal):
            raise SigningRefused(self.name, f"refuses: {answer.reason}")
        if not isinstance(answer, SignedVote | SignedProposal):
            raise SignerFaulty(self.name, "does not answer what it was asked")
        signed = answer.request.document
        if signed == document:
            return finished_signature(self.name, self.public_key, document.digest, answer.signature)
        if type(signed) is not type(document) or replace(signed, timestamp_ns=document.timestamp_ns) != document:
            raise SignerFaulty(self.name, "signed another vote or proposal than it was asked for")
        signature = finished_signature(self.name, self.public_key, signed.digest, answer.signature)
        raise SignedEarlier(self.name, signed.timestamp_ns, signature)

    async def health(self) -> SourceHealth:
        """See `KeySource`: a signer is connected, has the key and answers. Waits for one to dial."""
        try:
            await self._ask(self._listener.wait)
        except SignerUnavailable as error:
            return SourceHealth(ready=False, detail=str(error))
        return SourceHealth(ready=True, detail=f"{self.name}: a signer with the key is connected")

    async def keep_awake(self) -> None:
        """Ping an idle signer, which may otherwise hang up. A signer that is away is nobody's concern here."""
        try:
            await trio.to_thread.run_sync(self._listener.ping)
        except (SignerAbsent, SocketUnusable):
            return

    async def aclose(self) -> None:
        """See `KeySource`. The socket goes as well."""
        await trio.to_thread.run_sync(self._listener.close)

    async def _ask(self, call: Callable[[], T]) -> T:
        try:
            return await trio.to_thread.run_sync(call)
        except (SignerAbsent, SocketUnusable) as error:
            raise SignerUnavailable(self.name, str(error)) from None
