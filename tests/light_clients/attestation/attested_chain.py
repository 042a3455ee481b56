"""A chain without consensus and the attestors that speak for it, with everything that they could sign falsely."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from hutong.light_clients.attestation import (
    ABSENT,
    Attestation,
    AttestationKind,
    ClientState,
    Misbehaviour,
    PacketAttestation,
    PacketEntry,
    Scope,
    StateAttestation,
    attestation_digest,
    encode_attestation,
    encode_client_state,
    encode_misbehaviour,
    encode_packets,
    encode_state,
    in_signer_order,
    sign_digest,
)
from hutong.light_clients.crypto import eth_address, keccak256, secp256k1
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND

GENESIS_S = 1_700_000_000
ROUTER = bytes(12) + bytes.fromhex("00c0ffee00c0ffee")
HUB_ROUTER = (0x1000).to_bytes(20, "big")
SCOPE = Scope("31337", ROUTER, "hutong-1", HUB_ROUTER, "attestation-0")
KEY = b"client-0\x01" + (1).to_bytes(8, "big")
OTHER_KEY = b"client-0\x01" + (2).to_bytes(8, "big")
VALUE = bytes(range(1, 33))


def address_of(key: bytes) -> bytes:
    address = eth_address(secp256k1.public_key_of(key))
    assert address is not None
    return address


def attestor_keys(count: int, first: int = 0) -> list[bytes]:
    """Private keys K("attestor" ‖ BE4(n)), ascending by address."""
    return sorted((keccak256(b"attestor" + n.to_bytes(4, "big")) for n in range(first, first + count)), key=address_of)


class AttestedChain:
    """One block a second from height 1 on. `keys` are the attestors; by default each signs what it is shown."""

    def __init__(
        self, attestors: int = 3, threshold: int = 2, scope: Scope = SCOPE, genesis_s: int = GENESIS_S
    ) -> None:
        self.keys = attestor_keys(attestors)
        self.threshold = threshold
        self.scope = scope
        self.times_s = [0, genesis_s]
        self.stores: list[dict[bytes, bytes]] = [{}, {}]
        self._pending: dict[bytes, bytes] = {}

    @property
    def height(self) -> int:
        return len(self.times_s) - 1

    @property
    def now_ns(self) -> int:
        return self.times_s[-1] * NANOSECONDS_PER_SECOND

    def advance(self, blocks: int = 1, seconds: int = 1) -> int:
        for _ in range(blocks):
            self.times_s.append(self.times_s[-1] + seconds)
            self.stores.append({**self.stores[-1], **self._pending})
            self._pending = {}
        return self.height

    def put(self, key: bytes, value: bytes) -> None:
        """In the next block."""
        self._pending[key] = value

    # states of a client

    def client(self, height: int, **changes: object) -> ClientState:
        state = ClientState(
            scope=self.scope,
            attestors=tuple(map(address_of, self.keys)),
            threshold=self.threshold,
            trusting_period_s=1_000,
            max_clock_drift_s=15,
            latest_height=height,
        )
        return replace(state, **changes)

    def client_state(self, height: int, **changes: object) -> bytes:
        return encode_client_state(self.client(height, **changes))

    def consensus_state(self, height: int) -> bytes:
        return encode_state(StateAttestation(height, self.times_s[height]))

    # what attestors sign

    def digest(self, kind: AttestationKind, data: bytes, scope: Scope | None = None) -> bytes:
        return attestation_digest(scope or self.scope, kind, data)

    def attest(
        self,
        kind: AttestationKind,
        data: bytes,
        keys: Sequence[bytes] | None = None,
        scope: Scope | None = None,
    ) -> Attestation:
        """By default signed by exactly the threshold."""
        digest = self.digest(kind, data, scope)
        signers = self.keys[: self.threshold] if keys is None else keys
        return Attestation(data, in_signer_order(digest, (sign_digest(key, digest) for key in signers)))

    def state_attestation(self, height: int, timestamp_s: int | None = None, **signing: object) -> Attestation:
        state = StateAttestation(height, self.times_s[height] if timestamp_s is None else timestamp_s)
        return self.attest(AttestationKind.STATE, encode_state(state), **signing)

    def update(self, height: int, timestamp_s: int | None = None, **signing: object) -> bytes:
        return encode_attestation(self.state_attestation(height, timestamp_s, **signing))

    def packets_of(self, height: int, keys: Iterable[bytes], lies: dict[bytes, bytes] | None = None) -> bytes:
        """The data of a packet attestation about ICS-24 keys."""
        store = {**self.stores[height], **(lies or {})}
        entries = (PacketEntry(keccak256(key), store.get(key, ABSENT)) for key in keys)
        return encode_packets(PacketAttestation(height, tuple(sorted(entries, key=lambda entry: entry.path_hash))))

    def packet_attestation(
        self, height: int, *keys: bytes, lies: dict[bytes, bytes] | None = None, **signing: object
    ) -> Attestation:
        return self.attest(AttestationKind.PACKETS, self.packets_of(height, keys, lies), **signing)

    def proof(self, height: int, *keys: bytes, lies: dict[bytes, bytes] | None = None, **signing: object) -> bytes:
        return encode_attestation(self.packet_attestation(height, *keys, lies=lies, **signing))

    def state_misbehaviour(self, first: tuple[int, int], second: tuple[int, int], **signing: object) -> bytes:
        return encode_misbehaviour(
            Misbehaviour(
                AttestationKind.STATE,
                self.state_attestation(*first, **signing),
                self.state_attestation(*second, **signing),
            )
        )
