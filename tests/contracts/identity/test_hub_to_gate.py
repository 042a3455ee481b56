"""From the hub's own module to a contract on another chain and to an auditor without network: keys that end, and what outlives them.

Each case is judged twice, by `ExampleAgeGate` and by `judge_seal`, which must agree.
"""

from dataclasses import dataclass, field, replace

import pytest

from hutong.adapters.evm.hub_client import encode_update
from hutong.adapters.evm.hub_reader import ShownRecords
from hutong.adapters.evm.identity_cache import encode_sync
from hutong.light_clients.ibc.abi import encode_abi
from hutong.light_clients.interface import VERIFY, Height, PredicateFailed
from hutong.light_clients.proofs.merkle.proof import prove_leaf
from hutong.relay.hub.application.identity import interface
from hutong.relay.hub.state.multiproof import prove_many
from hutong.relay.services.identity.rules.organisations.issued import Logged
from hutong.relay.services.identity.rules.organisations.key_form import thumbprint
from hutong.relay.services.identity.rules.organisations.resolving import judge_accreditation, judge_did
from hutong.relay.services.identity.rules.records.key_record import KeyPurpose
from hutong.relay.services.identity.rules.records.log_record import Issuance, LogEntry, encode_log_entry
from hutong.relay.services.identity.rules.seals import (
    Claim,
    Gate,
    Presentation,
    Seal,
    SealedCredential,
    ShownClaim,
    claims_root,
    disclose,
    gated_call_hash,
    presentation_digest,
    seal_digest,
    sign_account,
)
from hutong.relay.services.identity.rules.seals.acceptance import ACCEPTANCE_TUPLE, Shown, acceptance_members
from hutong.relay.services.identity.rules.seals.accepting import (
    ShownSeal,
    Standing,
    Terms,
    judge_presentation,
    judge_seal,
    sealing_thumbprint,
)
from hutong.relay.services.identity.rules.seals.issuer_records import IssuerQuery, walk_records
from hutong.relay.services.identity.rules.status.chunk_tree import layers_of, prove_chunk
from tests.contracts.evm import SENDER, Evm, Reverted
from tests.contracts.lane import client_state_tuple, consensus_state_tuple
from tests.relay.hub.application.identity.organisations import (
    SCHEMA,
    accredited_by,
    held,
    key_struct,
    named,
    public_key,
    root_of,
)
from tests.relay.hub.simulated_hub import SimulatedHub, address_of

pytestmark = pytest.mark.long
"""Blocks of a hub, and a client that follows them."""

MAX_AGE_S = 15
HOLDER = named("holder")
CLAIMS = (Claim("age_over_18", True, b"\x01" * 32), Claim("name", "Li", b"\x02" * 32))
RULE_OF = {
    "AccreditationRevoked": "accreditation_counts",
    "CredentialRevoked": "status_is_valid",
    "NothingLogged": "key_has_a_log",
    "SealNotSigned": "seal_is_signed",
    "StaleList": "header_is_young_enough",
}


@dataclass
class World:
    """Root → clinic on the hub; another chain with a client of it, a cache and a gate."""

    hub: SimulatedHub = field(default_factory=SimulatedHub)
    entries: list = field(default_factory=list)

    def __post_init__(self):
        self.root = root_of(self.hub)
        self.clinic = accredited_by(self.root, "clinic")
        self.sealing = named("sealing")
        assert self.clinic.decide(interface.ADD_KEY, key_struct(public_key(self.sealing), KeyPurpose.CONTRACT)).ok
        assert self.clinic.open_list(seal_key=self.sealing).ok
        self.trusted = self.hub.height
        self.evm = Evm(timestamp_s=self.hub.time_s + 1)
        router = self.evm.deploy("Router", self.evm.deploy("AccessManager", SENDER).address)
        states = (
            client_state_tuple(self.hub.client_state(self.trusted)),
            consensus_state_tuple(self.hub.consensus_state(self.trusted)),
        )
        self.client = self.evm.deploy("HubClient", *states)
        client_id = router.transact("addClient", ("bft-evm-9", (b"",)), self.client.address).value
        self.cache = self.evm.deploy("IdentityCache", router.address, client_id)
        self.gate = self.evm.deploy("ExampleAgeGate", self.cache.address, MAX_AGE_S, SCHEMA)

    def seal(self, index, number=0):
        place = (number, index)
        return Seal(SCHEMA, self.clinic.did, *place, 2**33, address_of(HOLDER), claims_root(CLAIMS))

    def signed(self, seal, by=None):
        account = by or self.sealing
        signature = sign_account(bytes(account.key), seal_digest(seal))
        return SealedCredential(seal, thumbprint(public_key(account)), signature, CLAIMS)

    def log(self, *sealed):
        for one in sealed:
            issued = Issuance(one.key_thumbprint, seal_digest(one.seal))
            entry = encode_log_entry(LogEntry(one.seal.list_number, one.seal.index, None, issued))
            self.entries.append(entry)
            assert self.clinic.append(entry).ok

    def logged(self, position, size):
        proof = prove_leaf(self.clinic.leaves[:size], position)
        return Logged(self.entries[position], position, proof.aunts)

    def synchronise(self, number=0):
        """The next header, everything of the issuer under it, and the newest header's clock."""
        self.hub.advance()
        height = self.hub.height
        self.evm.timestamp_s = max(self.evm.timestamp_s, self.hub.time_s + 1)
        self.client.transact("updateClient", encode_update(self.hub.tendermint_header(height, self.trusted)))
        self.trusted = height
        state = self.hub.application.state
        records = held(self.hub)
        thumb = sealing_thumbprint(self.clinic.list(number).bound)
        query = IssuerQuery(self.clinic.did, SCHEMA, thumb, (number,))
        self.header_time_s = self.client.call("latestTimestamp")
        needed, _ = walk_records(query, self.header_time_s, records.get)
        claims, proof = prove_many(state.tree, state.root(height - 1), sorted(set(needed)))
        shown = ShownRecords.of(Height(1, height), claims, proof)
        fields = (query.issuer, query.schema, query.thumbprint, [number])
        self.evm.send(self.cache.address, encode_sync(fields, needed, shown))

    def on_chain(self, sealed, logged=None):
        """The contract's error, or "good"."""
        selector = self.gate.selector("mint", 2)
        call = gated_call_hash(selector, encode_abi(("address",), [SENDER]))
        gate = Gate(self.evm.chain_id, self.gate.address)
        said = Presentation(gate, SENDER, 1, 2**33, seal_digest(sealed.seal), call)
        signature = sign_account(bytes(HOLDER.key), presentation_digest(said))
        judge_presentation(VERIFY, sealed.seal, said, signature, self.evm.timestamp_s)
        members = acceptance_members(sealed, Shown(("age_over_18",), self.status(sealed.seal), logged), said, signature)
        data = selector + encode_abi((ACCEPTANCE_TUPLE, "address"), [members, SENDER])
        try:
            self.evm.send(self.gate.address, data, keep=False)
        except Reverted as error:
            return error.name
        return "good"

    def status(self, seal):
        shape = self.clinic.list(seal.list_number).shape
        return prove_chunk(layers_of(shape, self.clinic.octets[seal.list_number]), shape.chunk_of(seal.index))

    def offline(self, sealed, logged=None):
        """The rule that refuses, or "good": of the same records, at the time of the chain's block."""
        records = held(self.hub)
        proven = judge_did(VERIFY, self.clinic.did, records)
        listed = self.clinic.list(sealed.seal.list_number)
        claims = tuple(ShownClaim.of(one.members()) for one in disclose(sealed.claims, ["age_over_18"]))
        shown = ShownSeal(sealed.seal, sealed.signature, claims, self.status(sealed.seal), logged)
        try:
            chain = judge_accreditation(VERIFY, self.clinic.did, SCHEMA, self.header_time_s, Every(records))
            proven = replace(proven, chain=chain)
            standing = Standing(proven, listed, self.header_time_s)
            judge_seal(VERIFY, shown, standing, Terms(SCHEMA, MAX_AGE_S), self.evm.timestamp_s)
        except PredicateFailed as error:
            return error.predicate
        return "good"

    def verdict(self, sealed, logged=None):
        """Of both, which agree."""
        contract, auditor = self.on_chain(sealed, logged), self.offline(sealed, logged)
        assert (contract == "good") == (auditor == "good"), (contract, auditor)
        assert RULE_OF.get(contract, auditor) == auditor
        return contract


class Every(dict):
    """The hub's records, of which every other one is proven absent."""

    def __contains__(self, key):
        return True

    def __missing__(self, key):
        return None


def test_attack_N74_eight_cases_of_a_key_that_ends():
    world = World()
    clinic, hub = world.clinic, world.hub
    early, late, other = (world.signed(world.seal(index)) for index in (10, 11, 12))
    world.log(early)
    hub.advance(time_s=hub.time_s + 100)
    stolen_at_s = hub.time_s
    hub.advance(time_s=hub.time_s + 100)
    world.log(late, other)
    world.synchronise()
    assert [world.verdict(one) for one in (early, late, other)] == ["good"] * 3, "1: while the key is good, it decides"

    following = named("following")
    struct = key_struct(public_key(following), KeyPurpose.CONTRACT)
    assert clinic.decide(interface.ROTATE_KEY, thumbprint(public_key(world.sealing)), struct).ok
    assert clinic.open_list(seal_key=following).ok
    backdated = world.signed(world.seal(13))
    on_anothers_index = world.signed(replace(world.seal(12), not_after_s=2**33 + 1))
    world.log(backdated)
    world.synchronise()
    assert world.verdict(early) == "NotLogged", "2: after it, without the log"
    assert world.verdict(early, world.logged(0, 3)) == world.verdict(late, world.logged(1, 3)) == "good", "3: logged"
    assert world.verdict(backdated, world.logged(3, 4)) == "NotLogged", "4: dated back, logged too late"
    assert world.verdict(on_anothers_index, world.logged(2, 3)) == "NotLogged", "5: on another person's index"
    world.synchronise(number=1)
    assert world.verdict(world.signed(world.seal(10, number=1), by=following)) == "good", (
        "6: under the key that follows"
    )
    assert world.verdict(world.signed(world.seal(10, number=1), by=world.sealing)) == "ListOfAnother"

    assert clinic.decide(interface.COMPROMISE_KEY, thumbprint(public_key(world.sealing)), stolen_at_s).ok
    world.synchronise()
    assert world.verdict(early, world.logged(0, 1)) == "good", "7: stolen later than it was logged"
    assert world.verdict(late, world.logged(1, 3)) == "NotLogged", "8: logged after the theft"


def test_attack_N74_what_is_revoked_or_withdrawn_is_refused_on_both_sides():
    world = World()
    one, two = (world.signed(world.seal(index)) for index in (10, 11))
    world.synchronise()
    assert [world.verdict(each) for each in (one, two)] == ["good"] * 2
    assert world.clinic.revoke(0, 10).ok
    world.synchronise()
    assert (world.verdict(one), world.verdict(two)) == ("CredentialRevoked", "good")
    forged = replace(two, signature=sign_account(bytes(HOLDER.key), seal_digest(two.seal)))
    assert world.verdict(forged) == "SealNotSigned"
    with world.evm.at(world.header_time_s + MAX_AGE_S + 1):
        world.evm.timestamp_s = world.header_time_s + MAX_AGE_S + 1
        assert world.verdict(two) == "StaleList"
    assert world.root.decide(interface.REVOKE_ACCREDITATION, world.clinic.did, SCHEMA).ok
    world.synchronise()
    assert world.verdict(two) == "AccreditationRevoked"
