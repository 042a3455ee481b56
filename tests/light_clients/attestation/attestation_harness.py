"""The attested chain behind the conformance suite's harness. A trusted height means nothing to its client."""

from hutong.light_clients.attestation import (
    AttestationClient,
    AttestationKind,
    DigestForm,
    Misbehaviour,
    PreviousSet,
    encode_misbehaviour,
    public_digest,
)
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height
from tests.light_clients.attestation.attested_chain import AttestedChain, address_of, attestor_keys
from tests.light_clients.conformance.harness import Proven


class AttestationHarness:
    client = AttestationClient()
    trusting_period_ns = 1_000 * NANOSECONDS_PER_SECOND
    max_clock_drift_ns = 15 * NANOSECONDS_PER_SECOND

    make_chain = AttestedChain

    def __init__(self) -> None:
        self.chain = self.make_chain()

    @property
    def latest_height(self) -> Height:
        return Height(0, self.chain.height)

    def time_ns(self, height: Height) -> int:
        return self.chain.times_s[height.revision_height] * NANOSECONDS_PER_SECOND

    def advance(self, blocks: int = 1) -> Height:
        return Height(0, self.chain.advance(blocks))

    def put(self, key: bytes, value: bytes) -> None:
        self.chain.put(key, value)

    def replace_validators(self) -> None:
        raise NotImplementedError("the set of attestors does not change with the chain")

    def states(self, height: Height) -> tuple[bytes, bytes]:
        number = height.revision_height
        return self.chain.client_state(number), self.chain.consensus_state(number)

    def states_with_other_parameters(self, height: Height) -> tuple[bytes, bytes]:
        number = height.revision_height
        return self.chain.client_state(number, max_clock_drift_s=16), self.chain.consensus_state(number)

    def header(self, height: Height, trusted: Height) -> bytes:
        return self.chain.update(height.revision_height)

    def header_with_few_signatures(self, height: Height, trusted: Height) -> bytes:
        return self.chain.update(height.revision_height, keys=self.chain.keys[:1])

    def conflicting_header(self, height: Height, trusted: Height) -> bytes:
        number = height.revision_height
        return self.chain.update(number, self.chain.times_s[number] + 1)

    def header_with_time(self, height: Height, trusted: Height, time_ns: int) -> bytes:
        return self.chain.update(height.revision_height, time_ns // NANOSECONDS_PER_SECOND)

    def misbehaviour(self, height: Height, trusted: Height) -> bytes:
        number = height.revision_height
        time_s = self.chain.times_s[number]
        return self.chain.state_misbehaviour((number, time_s), (number, time_s + 1))

    def harmless_misbehaviour(self, height: Height, trusted: Height) -> bytes:
        own = self.chain.state_attestation(height.revision_height)
        return encode_misbehaviour(Misbehaviour(AttestationKind.STATE, own, own))

    def prove(self, key: bytes, height: Height) -> Proven:
        number = height.revision_height
        return Proven(self.chain.proof(number, key), (key,), self.chain.stores[number].get(key))


class PubliclyAttestedChain(AttestedChain):
    """Its attestors sign as those of the public client do."""

    def client(self, height, **changes):
        return super().client(height, digest_form=DigestForm.PUBLIC, **changes)

    def digest(self, kind, data, scope=None):
        return public_digest(kind, data)


class RotatedChain(AttestedChain):
    """Its client has a new set already; everything here is still signed by the previous one, within its window."""

    def client(self, height, **changes):
        new = tuple(map(address_of, attestor_keys(5, first=60)))
        previous = PreviousSet(tuple(map(address_of, self.keys)), self.threshold, 10_000)
        rotated = {"attestors": new, "threshold": 3, "set_number": 1, "previous": previous}
        return super().client(height, **{**rotated, **changes})


class PublicDigestHarness(AttestationHarness):
    make_chain = PubliclyAttestedChain


class PreviousSetHarness(AttestationHarness):
    make_chain = RotatedChain
