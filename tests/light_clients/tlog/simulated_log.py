"""A log with its key, witnesses and publisher, whose tree is hashed naively: nothing here is the client's own code but bytes."""

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ed25519_zebra import ed_public_from_secret, ed_sign

from hutong.light_clients.interface import Height
from hutong.light_clients.tlog import (
    COSIGNATURE_V1,
    ED25519,
    ClientState,
    ConsensusState,
    Growth,
    Header,
    Key,
    MembershipProof,
    Misbehaviour,
    decode_checkpoint,
    encode_client_state,
    encode_consensus_state,
    encode_header_message,
    encode_membership_proof,
    encode_misbehaviour,
    message_entry,
)

ORIGIN = "log.example/registry"
START_S = 1_700_000_000
TRUSTING_PERIOD_S = 3_600
CLOCK_DRIFT_S = 10
QUORUM = 2


def secret(label: str) -> bytes:
    return hashlib.sha256(label.encode()).digest()


@dataclass(frozen=True)
class Signer:
    name: str
    secret: bytes

    @property
    def key(self) -> Key:
        return Key(self.name, bytes(ed_public_from_secret(self.secret)))

    def sign(self, message: bytes) -> bytes:
        return bytes(ed_sign(self.secret, message))

    def line(self, signature_type: int, signature: bytes) -> str:
        name, public = self.name, bytes(ed_public_from_secret(self.secret))
        key_id = hashlib.sha256(name.encode() + b"\n" + bytes([signature_type]) + public).digest()[:4]
        return f"— {name} {b64encode(key_id + signature).decode()}\n"


LOG = Signer(ORIGIN, secret("log"))
PUBLISHER = Signer("publisher", secret("publisher"))
WITNESSES = tuple(Signer(f"witness.example/w{number}", secret(f"witness {number}")) for number in range(3))
STRANGER = Signer("witness.example/stranger", secret("stranger"))


def naive_root(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962, section 2.1, as it is written there."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    split = largest_power_below(len(leaves))
    return hashlib.sha256(b"\1" + naive_root(leaves[:split]) + naive_root(leaves[split:])).digest()


def largest_power_below(count: int) -> int:
    power = 1
    while power * 2 < count:
        power *= 2
    return power


def naive_path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """RFC 6962, section 2.1.1."""
    if len(leaves) == 1:
        return []
    split = largest_power_below(len(leaves))
    if index < split:
        return [*naive_path(index, leaves[:split]), naive_root(leaves[split:])]
    return [*naive_path(index - split, leaves[split:]), naive_root(leaves[:split])]


def naive_proof(first: int, leaves: Sequence[bytes], *, whole: bool = True) -> list[bytes]:
    """RFC 6962, section 2.1.2."""
    if first == len(leaves):
        return [] if whole else [naive_root(leaves)]
    split = largest_power_below(len(leaves))
    if first <= split:
        return [*naive_proof(first, leaves[:split], whole=whole), naive_root(leaves[split:])]
    return [*naive_proof(first - split, leaves[split:], whole=False), naive_root(leaves[:split])]


def note_text(origin: str, size: int, root: bytes, *extension: str) -> str:
    return "".join(f"{line}\n" for line in (origin, size, b64encode(root).decode(), *extension))


def cosignature(witness: Signer, text: str, time_s: int) -> str:
    signature = witness.sign(f"cosignature/v1\ntime {time_s}\n{text}".encode())
    return witness.line(COSIGNATURE_V1, time_s.to_bytes(8, "big") + signature)


def signed_note(text: str, cosigners: Sequence[tuple[Signer, int]], log: Signer = LOG) -> bytes:
    lines = [log.line(ED25519, log.sign(text.encode()))]
    lines += [cosignature(witness, text, time_s) for witness, time_s in cosigners]
    return f"{text}\n{''.join(lines)}".encode()


class SimulatedLog:
    """Entries one after the other; a checkpoint of every size, cosigned by the first two witnesses in the second after.

    The height of a state is the size of its tree, and its time `time_s` of that size.
    """

    def __init__(self, entries: Sequence[bytes] = (b"entry 0",)) -> None:
        self.entries = list(entries)

    @property
    def size(self) -> int:
        return len(self.entries)

    def append(self, *entries: bytes) -> None:
        self.entries += entries or (b"entry %d" % self.size,)

    def advance(self, count: int) -> None:
        for _ in range(count):
            self.append()

    def publish(self, key: bytes, value: bytes, origin: str = ORIGIN, by: Signer = PUBLISHER) -> None:
        self.append(message_entry(origin, key, value, by.sign))

    def fork(self, size: int) -> "SimulatedLog":
        """Another log of the same keys, which leaves this one after `size - 1` entries, and is `size` long."""
        return SimulatedLog([*self.entries[: size - 1], b"another entry"])

    def time_s(self, size: int) -> int:
        return START_S + 10 * size

    def time_ns(self, size: int) -> int:
        return self.time_s(size) * 10**9

    def root(self, size: int | None = None) -> bytes:
        return naive_root(self.entries[: self.size if size is None else size])

    def text(self, size: int, *extension: str) -> str:
        return note_text(ORIGIN, size, self.root(size), *extension)

    def note(
        self, size: int, cosigners: Sequence[tuple[Signer, int]] | None = None, time_s: int | None = None
    ) -> bytes:
        at = self.time_s(size) if time_s is None else time_s
        signed_by = [(witness, at) for witness in WITNESSES[:QUORUM]] if cosigners is None else cosigners
        return signed_note(self.text(size), signed_by)

    def client_state(self, size: int, **changes: object) -> bytes:
        return encode_client_state(self.client(size, **changes))

    @staticmethod
    def client(size: int, **changes: object) -> ClientState:
        state = ClientState(
            origin=ORIGIN,
            log_key=LOG.key,
            witnesses=tuple(witness.key for witness in WITNESSES),
            quorum=QUORUM,
            publisher_key=PUBLISHER.key.public_key,
            trusting_period_s=TRUSTING_PERIOD_S,
            max_clock_drift_s=CLOCK_DRIFT_S,
            latest_height=Height(0, size),
        )
        return replace(state, **changes)

    def consensus_state(self, size: int) -> bytes:
        return encode_consensus_state(ConsensusState(size, self.root(size), self.time_s(size)))

    def growth(self, first: int, size: int) -> Growth:
        return Growth(self.root(first), tuple(naive_proof(first, self.entries[:size])))

    def header(self, size: int, trusted: int, note: bytes | None = None) -> bytes:
        checkpoint = decode_checkpoint(self.note(size) if note is None else note)
        growth = self.growth(trusted, size) if size >= trusted else Growth(b"", ())
        return encode_header_message(Header(Height(0, trusted), checkpoint, growth))

    def evidence(self, first: int, fork: "SimulatedLog", second: int, *, stored: bool = False) -> bytes:
        """That `fork`, of `second` entries, did not grow out of this log's first `first`."""
        return encode_misbehaviour(
            Misbehaviour(
                None if stored else decode_checkpoint(self.note(first)),
                Height(0, first) if stored else None,
                decode_checkpoint(fork.note(second)),
                fork.growth(first, second),
            )
        )

    def proof(self, index: int, size: int, signature: bytes = b"") -> bytes:
        siblings = tuple(naive_path(index, self.entries[:size]))
        return encode_membership_proof(MembershipProof(index, siblings, signature))

    def message_proof(self, index: int, size: int) -> bytes:
        return self.proof(index, size, self.entries[index][-64:])
