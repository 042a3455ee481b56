"""Every light client behind the conformance suite's harness: headers, evidence, proofs and states, and what is true of each.

Nobody signs or mines for a changed input, so a header that is still taken must lead to a state of the chain, evidence must stay
refused where no validator misbehaved, and a proof may show only what is stored.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from zlib import crc32

from google.protobuf.message import Message

from hutong.light_clients import bitcoin
from hutong.light_clients.attestation import codec as attestation_codec
from hutong.light_clients.bft_evm import Consensus, QuorumRule, SealRules
from hutong.light_clients.interface import (
    Height,
    MalformedInput,
    MemoryConsensusStates,
    Misbehaved,
    NoOp,
    NotEnoughTrust,
    PredicateFailed,
    UnsupportedOperation,
    Updated,
    VerificationError,
)
from hutong.light_clients.protobuf import (
    bft_evm_pb2,
    bitcoin_pb2,
    clique_pb2,
    ethereum_pb2,
    evm_router_pb2,
    fisco_bcos_pb2,
    ibc_pb2,
    ics23_pb2,
    tlog_pb2,
)
from hutong.light_clients.protobuf.canonical import parse_canonical
from hutong.light_clients.tendermint.types import KeyType
from tests.light_clients.attestation.attestation_harness import (
    AttestationHarness,
    PreviousSetHarness,
    PublicDigestHarness,
)
from tests.light_clients.bft_evm.harness import BftEvmHarness
from tests.light_clients.bft_evm.simulated_chain import CONTRACT
from tests.light_clients.bitcoin.bitcoin_harness import BitcoinHarness
from tests.light_clients.clique.clique_harness import CliqueHarness
from tests.light_clients.conformance.harness import Harness
from tests.light_clients.conformance.suite import KEY, OTHER_KEY, VALUE
from tests.light_clients.ethereum.ethereum_harness import EthereumHarness
from tests.light_clients.fisco_bcos import fisco_harness
from tests.light_clients.mutation.engine import FalseAcceptance, Subject
from tests.light_clients.mutation.forms import Abi, Form, Protobuf
from tests.light_clients.tendermint.tendermint_harness import TendermintHarness
from tests.light_clients.tlog.tlog_harness import TlogHarness

OUTER_LIMIT_BYTES = 1 << 23
OTHER_VALUE = bytes(range(2, 34))


@dataclass(frozen=True, slots=True)
class Messages:
    """Outer forms of a client's inputs: protobuf types, or None where it writes ABI."""

    header: type[Message] | None
    misbehaviour: type[Message] | None
    proof: type[Message] | None
    client_state: type[Message] | None
    consensus_state: type[Message] | None


TENDERMINT = Messages(
    ibc_pb2.TendermintHeader,
    ibc_pb2.TendermintMisbehaviour,
    ics23_pb2.MerkleProof,
    ibc_pb2.TendermintClientState,
    ibc_pb2.TendermintConsensusState,
)
ETHEREUM = Messages(
    ethereum_pb2.Header,
    ethereum_pb2.Misbehaviour,
    evm_router_pb2.StorageProof,
    ethereum_pb2.ClientState,
    ethereum_pb2.ConsensusState,
)
BFT_EVM = Messages(
    bft_evm_pb2.Header,
    bft_evm_pb2.Misbehaviour,
    evm_router_pb2.StorageProof,
    bft_evm_pb2.ClientState,
    bft_evm_pb2.ConsensusState,
)
CLIQUE = Messages(
    clique_pb2.Header,
    clique_pb2.Misbehaviour,
    evm_router_pb2.StorageProof,
    clique_pb2.ClientState,
    clique_pb2.ConsensusState,
)
BITCOIN = Messages(
    bitcoin_pb2.Header,
    bitcoin_pb2.Misbehaviour,
    bitcoin_pb2.MembershipProof,
    bitcoin_pb2.ClientState,
    bitcoin_pb2.ConsensusState,
)
FISCO_BCOS = Messages(
    fisco_bcos_pb2.Header,
    fisco_bcos_pb2.Misbehaviour,
    fisco_bcos_pb2.EventProof,
    fisco_bcos_pb2.ClientState,
    fisco_bcos_pb2.ConsensusState,
)
TLOG = Messages(
    tlog_pb2.Header,
    tlog_pb2.Misbehaviour,
    tlog_pb2.MembershipProof,
    tlog_pb2.ClientState,
    tlog_pb2.ConsensusState,
)
ATTESTATION = Messages(None, None, None, None, None)

KINDS: dict[str, tuple[Callable[[], Harness], Messages]] = {
    "tendermint ed25519": (lambda: TendermintHarness(KeyType.ED25519), TENDERMINT),
    "tendermint secp256k1": (TendermintHarness, TENDERMINT),
    "ethereum": (EthereumHarness, ETHEREUM),
    "bft-evm qbft": (BftEvmHarness, BFT_EVM),
    "bft-evm ibft 2.0": (partial(BftEvmHarness, SealRules(Consensus.IBFT2)), BFT_EVM),
    "bft-evm istanbul": (partial(BftEvmHarness, SealRules(Consensus.ISTANBUL, QuorumRule.TWO_F_PLUS_ONE)), BFT_EVM),
    "bft-evm contract": (partial(BftEvmHarness, SealRules(validator_contract=CONTRACT)), BFT_EVM),
    "clique": (CliqueHarness, CLIQUE),
    "bitcoin": (BitcoinHarness, BITCOIN),
    "fisco-bcos 2": (fisco_harness.FiscoBcosHarness, FISCO_BCOS),
    "fisco-bcos 3": (fisco_harness.WeightedHarness, FISCO_BCOS),
    "fisco-bcos 3 gm": (fisco_harness.GmV3Harness, FISCO_BCOS),
    "tlog": (TlogHarness, TLOG),
    "attestation": (AttestationHarness, ATTESTATION),
    "attestation public": (PublicDigestHarness, ATTESTATION),
    "attestation rotated": (PreviousSetHarness, ATTESTATION),
}


def _outer(message_type: type[Message]) -> tuple[Form, Callable[[bytes], object]]:
    return Protobuf(message_type), lambda data: parse_canonical(message_type, data, "input", OUTER_LIMIT_BYTES)


def _form(message_type: type[Message] | None, abi: Callable[[bytes], object]) -> tuple[Form, Callable[[bytes], object]]:
    return (Abi(), abi) if message_type is None else _outer(message_type)


class Bench:
    """One client with a trusted state, some blocks of its chain, and the truth about them."""

    def __init__(self, name: str, make: Callable[[], Harness], messages: Messages) -> None:
        self.name, self.messages = name, messages
        self.harness = make()
        self.client = self.harness.client
        self.trusted = self.harness.advance(2)
        self.state, consensus_state = self.harness.states(self.trusted)
        self.key, self.other_key, self.value = KEY, OTHER_KEY, VALUE
        if messages is FISCO_BCOS:
            self.key, self.other_key, self.value = fisco_harness.KEY, fisco_harness.OTHER_KEY, fisco_harness.VALUE
        self.harness.put(self.key, self.value)
        self.latest = self.harness.advance(2)
        self.states = MemoryConsensusStates({self.trusted: consensus_state})
        self.now_ns = self.harness.time_ns(self.latest)
        self.headers = self._headers()
        self.truth = {height: self.harness.states(height)[1] for height in self._heights()}
        self.honest_states = set(self._client_states())
        self.proofs = tuple(self._proofs())

    def _heights(self) -> list[Height]:
        first = self.trusted.revision_height
        return [replace(self.latest, revision_height=at) for at in range(first, self.latest.revision_height + 1)]

    def _headers(self) -> tuple[bytes, ...]:
        headers = [self.harness.header(height, self.trusted) for height in self._heights()[1:]]
        if isinstance(self.harness, EthereumHarness):
            number = self.latest.revision_height
            headers += [self.harness.chain.message(number, with_committee=True, members=range(24))]
        return tuple(headers)

    def _client_states(self) -> Iterator[bytes]:
        for header in self.headers:
            verdict = self.client.verify_header(self.state, self.states, header, self.now_ns)
            if not isinstance(verdict, Updated):
                raise AssertionError(f"{self.name}: an honest header gave {verdict}")
            yield self._without_work(verdict.client_state)

    def _proofs(self) -> Iterator[bytes]:
        """Of the two keys, as far as the client can prove them."""
        for key in (self.key, self.other_key):
            proof = self.harness.prove(key, self.latest).proof
            try:
                self.judge_proof(proof)
            except VerificationError:
                continue
            yield proof

    def _without_work(self, client_state: bytes) -> bytes:
        """Bitcoin's tip above the believed block may be any that was mined, and on a test network a bit flip mines."""
        if self.messages is not BITCOIN:
            return client_state
        state = bitcoin.decode_client_state(client_state)
        return bitcoin.encode_client_state(replace(state, best_chainwork=1))

    def judge_header(self, data: bytes) -> None:
        verdict = self.client.verify_header(self.state, self.states, data, self.now_ns)
        match verdict:
            case Updated():
                if self.truth.get(verdict.height) != verdict.consensus_state:
                    raise FalseAcceptance(f"a state at {verdict.height} that is not the chain's")
                if self._without_work(verdict.client_state) not in self.honest_states:
                    raise FalseAcceptance(f"a client state after {verdict.height} that no honest header leads to")
            case NoOp():
                if verdict.height != self.trusted:
                    raise FalseAcceptance(f"{verdict.height} is not stored")
            case NotEnoughTrust():
                raise PredicateFailed("enough_trust", "too little trusted power signed")
            case Misbehaved():
                raise FalseAcceptance(f"misbehaviour that nobody committed: {verdict.reason}")

    def judge_harmless(self, data: bytes) -> None:
        """Parts of honest headers: no evidence made of them is true."""
        self.client.check_misbehaviour(self.state, self.states, data, self.now_ns)
        raise FalseAcceptance("misbehaviour that nobody committed")

    def judge_evidence(self, data: bytes) -> None:
        verdict = self.client.check_misbehaviour(self.state, self.states, data, self.now_ns)
        if self.client.status(verdict.client_state, self.states, self.now_ns) != "Frozen":
            raise FalseAcceptance("evidence was taken and the client is not frozen")

    def judge_proof(self, data: bytes) -> None:
        """The true claim of either key, and one false claim chosen by the bytes."""
        state = self.harness.states(self.latest)[0]
        consensus_state = self.truth[self.latest]
        present, absent = (self.harness.prove(key, self.latest).path for key in (self.key, self.other_key))
        false_claims: tuple[tuple[tuple[bytes, ...], bytes | None], ...] = (
            (present, OTHER_VALUE),
            (present, None),
            (absent, self.value),
            (absent, OTHER_VALUE),
        )
        claim = false_claims[crc32(data) % len(false_claims)]
        try:
            self._verify(state, consensus_state, data, *claim)
        except VerificationError:
            pass
        else:
            raise FalseAcceptance(f"{'absence' if claim[1] is None else claim[1].hex()} under {claim[0][-1].hex()}")
        try:
            self._verify(state, consensus_state, data, present, self.value)
        except MalformedInput:
            raise
        except VerificationError as error:
            try:
                self._verify(state, consensus_state, data, absent, None)
            except UnsupportedOperation:
                raise error from None

    def _verify(
        self, state: bytes, consensus_state: bytes, proof: bytes, path: tuple[bytes, ...], value: bytes | None
    ) -> None:
        if value is None:
            self.client.verify_non_membership(state, consensus_state, proof, path)
        else:
            self.client.verify_membership(state, consensus_state, proof, path, value)

    def judge_client_state(self, data: bytes) -> None:
        """Parameters are the creator's choice; what was taken must answer every question."""
        self.client.create(data, self.truth[self.trusted], self.now_ns)
        self.client.latest_height(data)
        self.client.status(data, self.states, self.now_ns)
        self._refusable(lambda: self.client.verify_header(data, self.states, self.headers[0], self.now_ns))

    def judge_consensus_state(self, data: bytes) -> None:
        self.client.create(self.state, data, self.now_ns)
        self.client.timestamp_ns(data)
        states = MemoryConsensusStates({self.trusted: data})
        self._refusable(lambda: self.client.verify_header(self.state, states, self.headers[0], self.now_ns))

    def _refusable(self, question: Callable[[], object]) -> None:
        try:
            question()
        except VerificationError:
            return

    def subjects(self) -> Iterator[Subject]:
        messages, harness, latest = self.messages, self.harness, self.latest
        form, first = _form(messages.header, attestation_codec.decode_update)
        yield Subject(f"{self.name} header", form, self.headers, first, self.judge_header)
        form, first = _form(messages.misbehaviour, attestation_codec.decode_misbehaviour)
        evidence = (harness.misbehaviour(latest, self.trusted),)
        yield Subject(f"{self.name} evidence", form, evidence, first, self.judge_evidence)
        harmless = (harness.harmless_misbehaviour(latest, self.trusted),)
        yield Subject(f"{self.name} harmless evidence", form, harmless, first, self.judge_harmless)
        if self.proofs:
            form, first = _form(messages.proof, attestation_codec.decode_attestation)
            yield Subject(f"{self.name} proof", form, self.proofs, first, self.judge_proof)
        form, first = _form(messages.client_state, attestation_codec.decode_client_state)
        yield Subject(f"{self.name} client state", form, (self.state,), first, self.judge_client_state)
        form, first = (
            (Abi(), attestation_codec.decode_state)
            if messages.consensus_state is None
            else _outer(messages.consensus_state)
        )
        yield Subject(
            f"{self.name} consensus state", form, (self.truth[self.trusted],), first, self.judge_consensus_state
        )


def client_subjects() -> Iterator[Subject]:
    """All doors of all clients."""
    for name, (make, messages) in KINDS.items():
        yield from Bench(name, make, messages).subjects()
