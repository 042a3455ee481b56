"""Organisations that keep their records on a simulated hub: each call in a block of its own, by accounts made from names."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from eth_account import Account

from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.ibc.abi import encode_abi
from hutong.light_clients.proofs.merkle.consistency import prove_consistency
from hutong.light_clients.proofs.merkle.tree import leaf_hash, root_of_leaves
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import accredit_root_action
from hutong.relay.hub.application.identity import interface
from hutong.relay.hub.application.identity.approving import call_hash
from hutong.relay.hub.application.module import IDENTITY_ADDRESS
from hutong.relay.services.identity.rules.organisations.approvals import Operation, operation_digest
from hutong.relay.services.identity.rules.organisations.key_form import thumbprint
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.accreditation_record import (
    AccreditationRecord,
    decode_accreditation_record,
)
from hutong.relay.services.identity.rules.records.did_record import DidRecord, decode_did_record
from hutong.relay.services.identity.rules.records.epoch_record import decode_epoch_record
from hutong.relay.services.identity.rules.records.key_record import (
    NO_END_S,
    NO_THUMBPRINT,
    KeyAlgorithm,
    KeyPurpose,
    KeyRecord,
    PublicKey,
    decode_key_record,
)
from hutong.relay.services.identity.rules.records.list_record import ListRecord, decode_list_record
from hutong.relay.services.identity.rules.records.log_record import LogRecord, decode_log_record
from hutong.relay.services.identity.rules.records.policy_record import NO_POLICY, PolicyRecord, decode_policy_record
from hutong.relay.services.identity.rules.status.chunk_tree import TreeShape
from hutong.relay.services.identity.rules.status.chunk_update import encode_update, prove_update
from tests.relay.hub.simulated_hub import STRANGER, SimulatedHub, address_of

HUB = "hutong"
SCHEMA, OTHER_SCHEMA = b"\x44" * 32, b"\x45" * 32
GAS = 8_000_000
FAR_S = 2**40
NO_ACCOUNTS = (0, [], 0)
"""Guardians: none."""


def named(name: str):
    """An account whose key is made from its name."""
    return Account.from_key(sha256(name.encode()).digest())


def ascending(accounts) -> list:
    return sorted(accounts, key=address_of)


def policy(accounts, threshold: int = 1, next_policy: bytes = NO_POLICY, guardians=NO_ACCOUNTS):
    """As the struct of the ABI; guardians are (threshold, accounts, delay in seconds)."""
    controllers = [address_of(account) for account in ascending(accounts)]
    guarding, chosen, delay_s = guardians
    return (threshold, controllers, next_policy, guarding, [address_of(one) for one in ascending(chosen)], delay_s)


def public_key(account) -> PublicKey:
    compressed = secp256k1.public_key_of(bytes(account.key))
    point = secp256k1.decompress(compressed)
    assert point is not None
    return PublicKey(KeyAlgorithm.ES256K, *(number.to_bytes(32, "big") for number in point))


def key_struct(key: PublicKey, purposes: KeyPurpose, *, start_s=0, end_s=NO_END_S, next_thumbprint=NO_THUMBPRINT):
    return (int(key.algorithm), key.x, key.y, bytes(32), int(purposes), start_s, end_s, next_thumbprint)


def registered(registrar, salt: bytes) -> bytes:
    return keys.did_id(HUB, address_of(registrar), salt)


@dataclass
class Organisation:
    """A DID with one controller unless it says otherwise, an issuing key and a log key."""

    hub: SimulatedHub
    name: str
    controllers: list = field(default_factory=list)
    threshold: int = 1
    leaves: list[bytes] = field(default_factory=list)
    """Leaf hashes of its log, as this organisation keeps them."""
    octets: dict[int, bytes] = field(default_factory=dict)
    """Bits of its lists."""

    def __post_init__(self) -> None:
        self.controllers = self.controllers or [named(f"{self.name} controller")]
        self.registrar = self.controllers[0]
        self.salt = sha256(self.name.encode()).digest()
        self.did = registered(self.registrar, self.salt)
        self.issuing = named(f"{self.name} issuing")
        self.logging = named(f"{self.name} logging")

    # --- what it writes

    def first_keys(self) -> list:
        return [
            key_struct(public_key(self.issuing), KeyPurpose.SIGNING | KeyPurpose.CONTRACT),
            key_struct(public_key(self.logging), KeyPurpose.LOG),
        ]

    def registration(self, schema: bytes | None = None, next_policy: bytes = NO_POLICY, guardians=NO_ACCOUNTS) -> bytes:
        said = policy(self.controllers, self.threshold, next_policy, guardians)
        values = (self.salt, said, bytes(32), self.first_keys())
        if schema is None:
            return interface.REGISTER.call(*values)
        return interface.REGISTER_ACCREDITED.call(*values, schema)

    def register(self, **said):
        return self.send(self.registration(**said), self.registrar)

    def send(self, call: bytes, account, gas: int = GAS):
        return self.hub.send(IDENTITY_ADDRESS, call, account, gas=gas)

    def approved(self, function: abi.Function, *values, signers: Sequence = (), sequence: int | None = None) -> bytes:
        """The call with signatures of `signers`; whoever sends it approves besides."""
        record = self.record()
        number = record.sequence if sequence is None else sequence
        hashed = call_hash(function.selector, encode_abi(function.arguments[1:], values))
        digest = operation_digest(HUB, Operation(self.did, record.registered.height, number, hashed))
        signatures = [signature_of(account, digest) for account in ascending(signers)]
        return function.call((self.did, number, signatures), *values)

    def decide(self, function: abi.Function, *values, **approval):
        """The first `threshold` controllers: the first one sends, the others sign."""
        signers = approval.pop("signers", self.controllers[1 : self.threshold])
        return self.send(self.approved(function, *values, signers=signers, **approval), self.controllers[0])

    def write(self, function: abi.Function, *values, account=None):
        writer = self.logging if account is None else account
        return self.send(function.call((self.did, thumbprint(public_key(writer))), *values), writer)

    def grant(self, subject: bytes, schema=SCHEMA, parent_schema=SCHEMA, depth=0, window=(0, FAR_S)):
        return self.decide(interface.GRANT_ACCREDITATION, subject, schema, parent_schema, depth, *window)

    def open_list(self, schema=SCHEMA, bits=1, size=1_024, key=None, seal_key=None):
        issuing = thumbprint(public_key(self.issuing if key is None else key))
        sealing = bytes(32) if seal_key is None else thumbprint(public_key(seal_key))
        outcome = self.write(interface.OPEN_LIST, issuing, sealing, schema, bits, size)
        if outcome.ok:
            self.octets[len(self.octets)] = bytes(size * bits // 8)
        return outcome

    def update_of(self, number: int, after: bytes) -> bytes:
        shape = self.list(number).shape
        before = self.octets[number]
        chunks = {n: after[32 * n : 32 * n + 32] for n in range(len(after) // 32)}
        changed = {n: chunk for n, chunk in chunks.items() if chunk != before[32 * n : 32 * n + 32]}
        return encode_update(prove_update(TreeShape(shape.bits, shape.size), before, changed))

    def revoke(self, number: int, index: int, token_hash: bytes = bytes(32)):
        """Set the bit of an index in a list of one bit an entry."""
        after = bytearray(self.octets[number])
        after[index // 8] |= 1 << index % 8
        outcome = self.write(interface.UPDATE_LIST, number, self.update_of(number, bytes(after)), token_hash)
        if outcome.ok:
            self.octets[number] = bytes(after)
        return outcome

    def append(self, *entries: bytes):
        longer = [*self.leaves, *map(leaf_hash, entries)]
        nodes = prove_consistency(longer, len(self.leaves)).nodes
        outcome = self.write(interface.APPEND_LOG, len(longer), root_of_leaves(longer), list(nodes))
        if outcome.ok:
            self.leaves = longer
        return outcome

    # --- what is written

    def raw(self, key: bytes) -> bytes | None:
        return self.hub.view().get(key)

    def record(self) -> DidRecord:
        return decode_did_record(self.raw(keys.did_key(self.did)))

    def policy(self) -> PolicyRecord:
        return decode_policy_record(self.raw(keys.policy_key(self.did)))

    def key(self, account) -> KeyRecord:
        return decode_key_record(self.raw(keys.key_key(self.did, thumbprint(public_key(account)))))

    def accreditation(self, schema=SCHEMA) -> AccreditationRecord:
        return decode_accreditation_record(self.raw(keys.accreditation_key(self.did, schema)))

    def list(self, number: int) -> ListRecord:
        return decode_list_record(self.raw(keys.list_key(self.did, number)))

    def log(self) -> LogRecord:
        return decode_log_record(self.raw(keys.log_key(self.did)))

    def epoch(self) -> int:
        raw = self.raw(keys.epoch_key(self.did))
        return 0 if raw is None else decode_epoch_record(raw).number

    def is_accredited(self, schema=SCHEMA) -> bool:
        return self.hub.read(IDENTITY_ADDRESS, interface.IS_ACCREDITED, self.did, schema)[0]


def signature_of(account, digest: bytes) -> bytes:
    signed = secp256k1.sign_recoverable(bytes(account.key), digest)
    return signed[:64] + bytes([27 + signed[64]])


def accredit_root(hub: SimulatedHub, did: bytes, schema: bytes = SCHEMA, depth: int = 4, window=(0, FAR_S)):
    """By the hub's admins."""
    return hub.execute(accredit_root_action(hub.next_salt(), did, schema, depth, window))


def root_of(hub: SimulatedHub, name: str = "root", **said) -> Organisation:
    """An organisation that governance has accredited, registered."""
    root = Organisation(hub, name)
    assert accredit_root(hub, root.did, **said).ok
    outcome = root.register(schema=said.get("schema", SCHEMA))
    assert outcome.ok, (outcome.log, outcome.data)
    return root


def accredited_by(root: Organisation, name: str, depth: int = 0, **said) -> Organisation:
    """An organisation that another one has accredited, registered."""
    organisation = Organisation(root.hub, name, **said)
    assert root.grant(organisation.did, depth=depth).ok
    outcome = organisation.register(schema=SCHEMA)
    assert outcome.ok, (outcome.log, outcome.data)
    return organisation


def held(hub: SimulatedHub) -> dict[bytes, bytes]:
    return dict(hub.view().with_prefix(b"identity/"))


def refused_by_rule(outcome) -> str:
    """The name of the predicate or field."""
    failed = outcome.reverted_with(abi.VERIFICATION_FAILED)
    assert failed is not None, (outcome.code, outcome.log, outcome.data)
    return failed[0]


OUTSIDER = STRANGER
