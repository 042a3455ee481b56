"""HubClient and the Python 07-tendermint client side by side: every message goes through both, and they must agree."""

from dataclasses import dataclass, field
from typing import Any

from hutong.adapters.evm.hub_client import (
    encode_membership_proof,
    encode_misbehaviour,
    encode_non_membership_proof,
    encode_update,
)
from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    Height,
    Misbehaved,
    NoOp,
    NotEnoughTrust,
    Updated,
    VerificationError,
)
from hutong.light_clients.tendermint.client import TendermintClient
from hutong.light_clients.tendermint.codec import (
    encode_client_state,
    encode_consensus_state,
    encode_tendermint_header,
)
from hutong.light_clients.tendermint.codec import encode_misbehaviour as encode_misbehaviour_bytes
from hutong.light_clients.tendermint.types import Misbehaviour, TendermintHeader
from tests.contracts.evm import Evm, Reverted
from tests.contracts.lane import deploy_hub_client, now_s
from tests.light_clients.tendermint.simulated_chain import SimulatedChain

UPDATE, MISBEHAVIOUR, NOOP, REFUSED = "update", "misbehaviour", "noop", "refused"
RESULTS = (UPDATE, MISBEHAVIOUR, NOOP)


@dataclass
class States:
    """Consensus states by height, as their owner stores them."""

    stored: dict[Height, bytes] = field(default_factory=dict)

    def get(self, height: Height) -> bytes | None:
        return self.stored.get(height)

    def before(self, height: Height) -> tuple[Height, bytes] | None:
        below = [known for known in self.stored if known < height]
        return (max(below), self.stored[max(below)]) if below else None

    def after(self, height: Height) -> tuple[Height, bytes] | None:
        above = [known for known in self.stored if known > height]
        return (min(above), self.stored[min(above)]) if above else None


@dataclass
class HubTwin:
    """Both clients trust the chain's block at `trusted`. `reason` is the contract's error of the last refusal."""

    chain: SimulatedChain
    trusted: int = 1
    fork: str = "paris"
    reason: str = ""
    arguments: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        self.evm = Evm(self.fork, now_s(self.chain))
        self.contract = deploy_hub_client(self.evm, self.chain, self.trusted)
        self.client = TendermintClient()
        self.client_state = encode_client_state(self.chain.client_state(self.trusted))
        first = encode_consensus_state(self.chain.consensus_state(self.trusted))
        self.states = States({self.chain.height(self.trusted): first})

    @property
    def now_ns(self) -> int:
        return self.evm.timestamp_s * NANOSECONDS_PER_SECOND

    def update(self, header: TendermintHeader, now_s: int | None = None) -> str:
        """What both say; an assertion if they differ."""
        self.evm.timestamp_s = now_s or self.evm.timestamp_s
        library = self._library_update(header)
        contract = self._contract(lambda: encode_update(header), "updateClient")
        assert contract == library, f"contract says {contract} ({self.reason}), library says {library}"
        return contract

    def misbehaviour(self, evidence: Misbehaviour, now_s: int | None = None) -> str:
        self.evm.timestamp_s = now_s or self.evm.timestamp_s
        try:
            verdict = self.client.check_misbehaviour(
                self.client_state, self.states, encode_misbehaviour_bytes(evidence), self.now_ns
            )
        except VerificationError:
            library = REFUSED
        else:
            library, self.client_state = MISBEHAVIOUR, verdict.client_state
        contract = self._contract(lambda: encode_misbehaviour(evidence), "misbehaviour")
        assert contract == library, f"contract says {contract} ({self.reason}), library says {library}"
        return contract

    def _library_update(self, header: TendermintHeader) -> str:
        try:
            verdict = self.client.verify_header(
                self.client_state, self.states, encode_tendermint_header(header), self.now_ns
            )
        except VerificationError:
            return REFUSED
        match verdict:
            case Updated():
                self.client_state = verdict.client_state
                self.states.stored[verdict.height] = verdict.consensus_state
                return UPDATE
            case NoOp():
                return NOOP
            case Misbehaved():
                self.client_state = verdict.client_state
                return MISBEHAVIOUR
            case NotEnoughTrust():
                return REFUSED

    def _contract(self, encode: Any, function: str) -> str:
        self.reason, self.arguments = "", ()
        try:
            message = encode()
        except VerificationError as error:
            self.reason = type(error).__name__
            return REFUSED
        try:
            outcome = self.contract.transact(function, message)
        except Reverted as error:
            self.reason, self.arguments = error.name, error.arguments
            return REFUSED
        return MISBEHAVIOUR if function == "misbehaviour" else RESULTS[outcome.value]

    def proves(self, key: bytes, value: bytes | None, proof: bytes, height: int) -> bool:
        """Whether both accept that `key` holds `value` (None: is absent); an assertion if they differ."""
        at = self.chain.height(height)
        state = self.states.get(at)
        path = (key,)
        try:
            if value is None:
                self.client.verify_non_membership(self.client_state, state, proof, path)
            else:
                self.client.verify_membership(self.client_state, state, proof, path, value)
        except VerificationError:
            library = False
        else:
            library = True
        contract = self._contract_proves(key, value, proof, (at.revision_number, at.revision_height))
        assert contract == library, f"contract says {contract} ({self.reason} {self.arguments}), library {library}"
        return contract

    def _contract_proves(self, key: bytes, value: bytes | None, proof: bytes, height: tuple[int, int]) -> bool:
        self.reason, self.arguments = "", ()
        try:
            encoded = encode_non_membership_proof(proof) if value is None else encode_membership_proof(proof)
        except VerificationError as error:
            self.reason, self.arguments = type(error).__name__, (str(error),)
            return False
        return self.contract_accepts(key, value, encoded, height)

    def contract_accepts(self, key: bytes, value: bytes | None, encoded: bytes, height: tuple[int, int]) -> bool:
        """The contract alone, on ABI proof bytes as an attacker may write them."""
        try:
            if value is None:
                self.contract.call("verifyNonMembership", (encoded, height, (key,)))
            else:
                self.contract.call("verifyMembership", (encoded, height, (key,), value))
        except Reverted as error:
            self.reason, self.arguments = error.name, error.arguments
            return False
        return True
