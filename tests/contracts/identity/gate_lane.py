"""A cache and two gates on an EVM chain, over real signed headers of a hub that holds identity records, and a wallet.

Governance accredits `ROOT`, which accredits `MIDDLE`, which accredits the issuer. A test changes records, and the hub's next
header has them.
"""

from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import sha256

from hutong.adapters.evm.hub_reader import ShownRecords
from hutong.adapters.evm.identity_cache import encode_sync
from hutong.light_clients.crypto import eth_address, secp256k1
from hutong.light_clients.ibc.abi import encode_abi
from hutong.light_clients.proofs.merkle.proof import prove_leaf
from hutong.light_clients.proofs.merkle.tree import leaf_hash, root_of_leaves
from hutong.relay.hub.state.multiproof import prove_many
from hutong.relay.services.identity.rules.organisations.key_form import thumbprint
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.accreditation_record import (
    GOVERNANCE,
    AccreditationRecord,
    AccreditationState,
    Grant,
    encode_accreditation_record,
)
from hutong.relay.services.identity.rules.records.did_record import (
    Counts,
    DidRecord,
    DidState,
    Document,
    Moment,
    encode_did_record,
)
from hutong.relay.services.identity.rules.records.epoch_record import EpochRecord, encode_epoch_record
from hutong.relay.services.identity.rules.records.key_record import (
    KeyAlgorithm,
    KeyEnd,
    KeyPurpose,
    KeyRecord,
    KeyUse,
    PublicKey,
    encode_key_record,
)
from hutong.relay.services.identity.rules.records.list_record import ListBinding, ListRecord, encode_list_record
from hutong.relay.services.identity.rules.records.log_record import Issuance, LogEntry, encode_log_entry
from hutong.relay.services.identity.rules.seals import (
    Claim,
    Gate,
    Presentation,
    Seal,
    claims_root,
    gated_call_hash,
    presentation_digest,
    seal_digest,
    sign_account,
)
from hutong.relay.services.identity.rules.seals.acceptance import ACCEPTANCE_TUPLE, acceptance_members
from hutong.relay.services.identity.rules.seals.acceptance import Shown as Told
from hutong.relay.services.identity.rules.seals.issuer_records import IssuerQuery, walk_records
from hutong.relay.services.identity.rules.status.chunk_tree import TreeShape, layers_of, prove_chunk
from tests.contracts.evm import SENDER
from tests.contracts.lane import LOCAL_CLIENT, Lane
from tests.contracts.records.reader_lane import intrinsic_gas
from tests.contracts.records.record_tree import tree_of

SCHEMA, OTHER_SCHEMA, LICENCE = b"\x44" * 32, b"\x45" * 32, b"\x46" * 32
ROOT, MIDDLE, ISSUER = b"\xa1" * 32, b"\xa2" * 32, b"\xa3" * 32
ISSUING, HOLDING, THIEF = (sha256(name).digest() for name in (b"issuing", b"holding", b"thief"))
AT = Moment(1, 1_600_000_000)
FAR_S = 2**40
MAX_AGE_S = 15
SHAPE = TreeShape(1, 2**20)
"""4 096 chunks: a path of twelve steps."""
CLAIMS = (
    Claim("age_over_18", True, b"\x01" * 32),
    Claim("birth_date", 7_000, b"\x02" * 32),
    Claim("family_name", "Li", b"\x03" * 32),
    Claim("nationality", "CN", b"\x04" * 32),
    Claim("postal_code", "100084", b"\x05" * 32),
    Claim("refills", 2, b"\x06" * 32),
    Claim("medicine", "Levothyroxine 50 µg", b"\x07" * 32),
    Claim("document_number", "X-1", b"\x08" * 32),
)
INDEX = 123_456


def account_of(secret):
    return eth_address(secp256k1.public_key_of(secret))


def key_record(secret=ISSUING, purposes=KeyPurpose.CONTRACT, start_s=1, end_s=FAR_S, end=None):
    point = secp256k1.decompress(secp256k1.public_key_of(secret))
    key = PublicKey(KeyAlgorithm.ES256K, *(number.to_bytes(32, "big") for number in point))
    return KeyRecord(key, account_of(secret), KeyUse(purposes, start_s, end_s), end or KeyEnd(), 1, AT)


def did_record(state=DidState.ACTIVE):
    return DidRecord(Document(), state, 1, Counts(2, 1, 4, 1, 5), AT, AT)


def accreditation(accreditor, depth, parent_schema=None, window=(0, FAR_S), revoked_s=0):
    parent = (bytes(32) if accreditor == GOVERNANCE else SCHEMA) if parent_schema is None else parent_schema
    state = AccreditationState.REVOKED if revoked_s else AccreditationState.ACTIVE
    return AccreditationRecord(Grant(accreditor, parent, depth, *window), state, AT, revoked_s)


KEY = key_record()
PRINT = thumbprint(KEY.key)
QUERY = IssuerQuery(ISSUER, SCHEMA, PRINT, (0,))
GOOD = {
    keys.did_key(ROOT): encode_did_record(did_record()),
    keys.did_key(MIDDLE): encode_did_record(did_record()),
    keys.did_key(ISSUER): encode_did_record(did_record()),
    keys.accreditation_key(ROOT, SCHEMA): encode_accreditation_record(accreditation(GOVERNANCE, 4)),
    keys.accreditation_key(MIDDLE, SCHEMA): encode_accreditation_record(accreditation(ROOT, 1)),
    keys.accreditation_key(ISSUER, SCHEMA): encode_accreditation_record(accreditation(MIDDLE, 0)),
    keys.key_key(ISSUER, PRINT): encode_key_record(KEY),
    keys.epoch_key(ISSUER): encode_epoch_record(EpochRecord(1, AT)),
}


@cache
def layers(revoked=()):
    octets = bytearray(SHAPE.chunks * 32)
    for index in revoked:
        octets[index // 8] |= 1 << index % 8
    return layers_of(SHAPE, bytes(octets))


def list_record(revoked=(), print_of=PRINT, schema=SCHEMA, seal_print=bytes(32), sealed_s=0):
    root = layers(revoked)[-1][0]
    return ListRecord(root, SHAPE, ListBinding(print_of, schema, seal_print), 1, sealed_s, bytes(32), 1, AT)


SEAL = Seal(SCHEMA, ISSUER, 0, INDEX, 2**33, account_of(HOLDING), claims_root(CLAIMS))


@dataclass(frozen=True)
class Unchecked:
    """As `SealedCredential`, with signatures of any length."""

    seal: Seal
    key_thumbprint: bytes
    signature: bytes
    claims: tuple[Claim, ...]


@dataclass(frozen=True)
class Shown:
    """What a wallet builds an acceptance from. Each member is right unless a test says otherwise."""

    seal: Seal = SEAL
    seal_print: bytes = PRINT
    signer: bytes = ISSUING
    signature: bytes | None = None
    names: tuple[str, ...] = ("age_over_18",)
    claims: tuple[Claim, ...] = CLAIMS
    revoked: tuple[int, ...] = ()
    log: tuple = (bytes(32), bytes(32), 0, ())
    nonce: int = 7
    deadline_s: int = 2**33
    holder: bytes = HOLDING
    presented: Presentation | None = None


@dataclass
class GateLane:
    lane: Lane = field(default_factory=Lane)

    def __post_init__(self):
        self.evm = self.lane.evm
        self.lane.chain.state |= GOOD | {keys.list_key(ISSUER, 0): encode_list_record(list_record())}
        self.lane.chain.state |= {b"other/%d" % number: b"\x01" for number in range(20)}
        self.cache = self.evm.deploy("IdentityCache", self.lane.router.address, LOCAL_CLIENT)
        self.gate = self.evm.deploy("ExampleAgeGate", self.cache.address, MAX_AGE_S, SCHEMA)

    def __deepcopy__(self, memo):
        copied = object.__new__(GateLane)
        memo[id(self)] = copied
        for name, value in vars(self).items():
            setattr(copied, name, deepcopy(value, memo))
        return copied

    # --- the hub and the cache

    def publish(self, records=None):
        """Writes records (None deletes) and brings the client to the header that proves them; its height."""
        for key, value in (records or {}).items():
            if value is None:
                self.lane.chain.state.pop(key, None)
            else:
                self.lane.chain.put(key, value)
        return self.lane.publish({})

    def sync_call(self, height, query=QUERY):
        """Calldata of `sync`, and the flaw that the rules find."""
        content = self.lane.chain.states[height - 1]
        time_s = self.lane.chain.block(height).header.time_ns // 10**9
        needed, flaw = walk_records(query, time_s, content.get)
        tree, root = tree_of(content)
        assert root == self.lane.chain.block(height).header.app_hash
        shown = ShownRecords.of(self.lane.chain.height(height), *prove_many(tree, root, sorted(set(needed))))
        fields = (query.issuer, query.schema, query.thumbprint, list(query.lists))
        return encode_sync(fields, needed, shown), flaw

    def sync(self, records=None, query=QUERY):
        """Publishes records and shows them to the cache, which must find what the rules find; the flaw."""
        data, flaw = self.sync_call(self.publish(records), query)
        logs = self.evm.send(self.cache.address, data).get_log_entries()
        events = [self.cache.decode_event(topics, said) for _, topics, said in logs]
        kept = [event.arguments["flaw"] for event in events if event.name == "IssuerSynced"]
        assert kept == [flaw], "the contract finds what the rules find"
        return flaw

    # --- the wallet

    def acceptance(self, shown, call_hash, gate, caller):
        seal = shown.seal
        signature = sign_account(shown.signer, seal_digest(seal)) if shown.signature is None else shown.signature
        presented = shown.presented or Presentation(
            Gate(self.evm.chain_id, gate), caller, shown.nonce, shown.deadline_s, seal_digest(seal), call_hash
        )
        signed = sign_account(shown.holder, presentation_digest(presented))
        said = replace(presented, nonce=shown.nonce, deadline_s=shown.deadline_s)
        status = prove_chunk(layers(shown.revoked), seal.index * SHAPE.bits // 256)
        sealed = Unchecked(seal, shown.seal_print, signature, shown.claims)
        members = acceptance_members(sealed, Told(shown.names, status), said, signed)
        *entry, path = shown.log
        return (*members[:6], (*entry, list(path)), *members[7:])

    def mint_call(self, shown=None, to=SENDER, caller=SENDER, change=lambda members: members):
        selector = self.gate.selector("mint", 2)
        hashed = gated_call_hash(selector, encode_abi(("address",), [to]))
        members = change(list(self.acceptance(shown or Shown(), hashed, self.gate.address, caller)))
        return selector + encode_abi((ACCEPTANCE_TUPLE, "address"), [tuple(members), to])

    def mint(self, shown=None, to=SENDER, caller=SENDER, *, keep=False, change=lambda members: members):
        return self.evm.send(self.gate.address, self.mint_call(shown, to, caller, change), sender=caller, keep=keep)

    def gas(self, address, data):
        computation = self.evm.send(address, data, keep=False)
        return computation.msg.gas - computation.get_gas_remaining() + intrinsic_gas(data)


@cache
def _ready():
    world = GateLane()
    world.sync()
    return world


def ready():
    """A world whose cache has been synchronised; each caller has its own."""
    return deepcopy(_ready())


def logged(seals, position, print_of=PRINT):
    """A log of these seals, its root, and what a wallet shows of the entry at a position."""
    entries = [
        encode_log_entry(LogEntry(one.list_number, one.index, None, Issuance(print_of, seal_digest(one))))
        for one in seals
    ]
    leaves = [leaf_hash(entry) for entry in entries]
    proof = prove_leaf(leaves, position)
    return root_of_leaves(leaves), (bytes(32), bytes(32), position, proof.aunts)
