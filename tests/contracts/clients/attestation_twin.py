"""AttestationClient and the Python attestation client side by side: the same bytes go through both, and they must agree."""

from dataclasses import dataclass
from typing import Any

from hutong.light_clients.attestation import AttestationClient, Scope
from hutong.light_clients.attestation.codec import client_state_value
from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    ClientStatus,
    Height,
    MalformedInput,
    MemoryConsensusStates,
    Misbehaved,
    NoOp,
    Updated,
    VerificationError,
)
from tests.contracts.clients.hub_twin import MISBEHAVIOUR, NOOP, REFUSED, RESULTS, UPDATE
from tests.contracts.evm import Contract, Evm, Reverted
from tests.light_clients.attestation.attested_chain import ROUTER, AttestedChain

LOCAL_CLIENT = "client-0"
LOCAL_ROUTER = b"\x0e" * 20
EVM_SCOPE = Scope("31337", ROUTER, "1337", LOCAL_ROUTER, LOCAL_CLIENT)


def deploy_attestation_client(evm: Evm, chain: AttestedChain, height: int, **changes: Any) -> Contract:
    """A client of `chain` that trusts its block at `height`."""
    return evm.deploy(
        "AttestationClient",
        client_state_value(chain.client(height, **changes)),
        (height, chain.times_s[height]),
    )


@dataclass
class AttestationTwin:
    """Both clients trust the chain's block at `trusted`. `reason` is the contract's error of the last refusal, `error` the
    library's."""

    chain: AttestedChain
    trusted: int = 1
    fork: str = "paris"
    reason: str = ""
    arguments: tuple[Any, ...] = ()
    error: VerificationError | None = None

    def __post_init__(self) -> None:
        self.evm = Evm(self.fork, self.chain.times_s[-1])
        self.contract = deploy_attestation_client(self.evm, self.chain, self.trusted)
        self.client = AttestationClient()
        self.client_state = self.chain.client_state(self.trusted)
        self.states = MemoryConsensusStates({Height(0, self.trusted): self.chain.consensus_state(self.trusted)})

    @property
    def now_ns(self) -> int:
        return self.evm.timestamp_s * NANOSECONDS_PER_SECOND

    def advance(self, blocks: int = 1, seconds: int = 1) -> int:
        height = self.chain.advance(blocks, seconds)
        self.evm.timestamp_s = max(self.evm.timestamp_s, self.chain.times_s[-1])
        return height

    def update(self, message: bytes) -> str:
        """What both say of the same bytes; an assertion if they differ."""
        library = self._library_update(message)
        contract = self._contract("updateClient", message)
        self._agree(contract, library)
        return contract

    def misbehaviour(self, message: bytes) -> str:
        try:
            verdict = self.client.check_misbehaviour(self.client_state, self.states, message, self.now_ns)
        except VerificationError as error:
            library, self.error = REFUSED, error
        else:
            library, self.error, self.client_state = MISBEHAVIOUR, None, verdict.client_state
        contract = self._contract("misbehaviour", message)
        self._agree(contract, library)
        return contract

    def proves(self, proof: bytes, height: int, path: tuple[bytes, ...], value: bytes | None) -> bool:
        """Whether both accept that `path` holds `value` (None: is absent) at a height, as a router asks."""
        library = self._library_proves(proof, height, path, value)
        message = (proof, (0, height), path) if value is None else (proof, (0, height), path, value)
        name = "verifyNonMembership" if value is None else "verifyMembership"
        contract = self._contract(name, message) != REFUSED
        assert contract == library, f"contract says {contract} ({self.reason} {self.arguments}), library {self.error}"
        return contract

    def states_are_equal(self) -> bool:
        """Both hold the same client state, and the same consensus state at its height."""
        height = self.client.latest_height(self.client_state)
        stored = self.contract.call("getConsensusState", height.revision_number, height.revision_height)
        return (
            self.contract.call("getClientState") == self.client_state
            and self.client.timestamp_ns(self.states.get(height)) == stored[1] * NANOSECONDS_PER_SECOND
        )

    def _agree(self, contract: str, library: str) -> None:
        assert contract == library, f"contract says {contract} ({self.reason} {self.arguments}), library {self.error}"
        assert self.states_are_equal()

    def _library_update(self, message: bytes) -> str:
        try:
            verdict = self.client.verify_header(self.client_state, self.states, message, self.now_ns)
        except VerificationError as error:
            self.error = error
            return REFUSED
        self.error = None
        match verdict:
            case Updated():
                self.client_state = verdict.client_state
                self.states = self.states.with_state(verdict.height, verdict.consensus_state)
                return UPDATE
            case NoOp():
                return NOOP
            case Misbehaved():
                self.client_state = verdict.client_state
                return MISBEHAVIOUR
        raise AssertionError(verdict)

    def _library_proves(self, proof: bytes, height: int, path: tuple[bytes, ...], value: bytes | None) -> bool:
        """With the checks that a router makes around it: an active client with a state at the height."""
        state = self.states.get(Height(0, height))
        self.error = MalformedInput("height", "no such state")
        if self.client.status(self.client_state, self.states, self.now_ns) is not ClientStatus.ACTIVE or state is None:
            return False
        try:
            if value is None:
                self.client.verify_non_membership(self.client_state, state, proof, path)
            else:
                self.client.verify_membership(self.client_state, state, proof, path, value)
        except VerificationError as error:
            self.error = error
            return False
        self.error = None
        return True

    def _contract(self, function: str, message: Any) -> str:
        self.reason, self.arguments = "", ()
        try:
            outcome = self.contract.transact(function, message, gas=20_000_000)
        except Reverted as error:
            self.reason, self.arguments = error.name, error.arguments
            return REFUSED
        return RESULTS[outcome.value] if function == "updateClient" else MISBEHAVIOUR
