"""Credentials and seals before and after their key ended: backdated ones die, logged ones live, whoever's index they name."""

import pytest

from hutong.light_clients.interface import VERIFY, PredicateFailed
from hutong.light_clients.proofs.merkle.proof import prove_leaf
from hutong.light_clients.proofs.merkle.tree import leaf_hash
from hutong.relay.hub.application.identity import interface
from hutong.relay.services.identity.rules.organisations.issued import Judged, Logged, judge_issued
from hutong.relay.services.identity.rules.organisations.key_form import thumbprint
from hutong.relay.services.identity.rules.organisations.resolving import judge_did
from hutong.relay.services.identity.rules.records.key_record import KeyPurpose, KeyState
from hutong.relay.services.identity.rules.records.log_record import Issuance, LogEntry, encode_log_entry
from tests.relay.hub.application.identity.organisations import (
    accredited_by,
    held,
    key_struct,
    named,
    public_key,
    root_of,
)
from tests.relay.hub.simulated_hub import SimulatedHub

SEALING = named("sealing")
SIGNING, CONTRACT = KeyPurpose.SIGNING, KeyPurpose.CONTRACT


class Issuing:
    """An issuer that logs each credential with its seal, and what a verifier is shown."""

    def __init__(self) -> None:
        self.hub = SimulatedHub()
        self.issuer = accredited_by(root_of(self.hub), "issuer")
        assert self.issuer.decide(interface.ADD_KEY, key_struct(public_key(SEALING), CONTRACT)).ok
        assert self.issuer.open_list(seal_key=SEALING).ok
        self.prints = {
            SIGNING: thumbprint(public_key(self.issuer.issuing)),
            CONTRACT: thumbprint(public_key(SEALING)),
        }
        self.entries: list[bytes] = []

    def judged(self, index: int, purpose: KeyPurpose, number: int = 0) -> Judged:
        """A credential or seal of an index, signed by the issuer's key: its digest is of the index."""
        digest = bytes([purpose]) + index.to_bytes(31, "big")
        return Judged(number, index, Issuance(self.prints[purpose], digest), purpose)

    def log(self, index: int) -> None:
        entry = LogEntry(0, index, *(self.judged(index, purpose).issuance for purpose in (SIGNING, CONTRACT)))
        self.entries.append(encode_log_entry(entry))
        assert self.issuer.append(self.entries[-1]).ok

    def shown(self, position: int, size: int) -> Logged:
        proof = prove_leaf([leaf_hash(entry) for entry in self.entries[:size]], position)
        return Logged(self.entries[position], position, proof.aunts)

    def verdict(self, judged: Judged, logged: Logged | None = None) -> str:
        proven = judge_did(VERIFY, self.issuer.did, held(self.hub))
        assert proven is not None
        try:
            judge_issued(VERIFY, proven, judged, self.hub.time_s, logged)
        except PredicateFailed as error:
            return error.predicate
        return "good"


@pytest.mark.parametrize("purpose", [SIGNING, CONTRACT], ids=["credential", "seal"])
def test_attack_N43_only_what_was_logged_before_its_key_ended_outlives_it(purpose):
    world = Issuing()
    hub, issuer = world.hub, world.issuer
    world.log(10)
    hub.advance(time_s=hub.time_s + 100)
    stolen_at_s = hub.time_s
    hub.advance(time_s=hub.time_s + 100)
    world.log(11)
    early, late, forged = (world.judged(index, purpose) for index in (10, 11, 12))
    assert [world.verdict(one) for one in (early, late, forged)] == ["good"] * 3, "while the key is good, it decides"

    assert issuer.decide(interface.RETIRE_KEY, world.prints[purpose]).ok
    assert issuer.list(0).is_sealed
    world.log(12)  # a thief of the log's key too, or an issuer who dates back
    assert world.verdict(early) == "issuance_is_logged"
    assert world.verdict(early, world.shown(0, 2)) == world.verdict(late, world.shown(1, 2)) == "good"
    assert world.verdict(forged, world.shown(2, 3)) == "index_within_total"
    moved = Logged(world.entries[2], 1, world.shown(1, 2).aunts)
    assert world.verdict(forged, moved) == "root_matches"
    assert world.verdict(forged, world.shown(0, 2)) == "entry_is_of_what_is_judged", "another person's index"
    same_index = Judged(0, 10, Issuance(world.prints[purpose], b"\x01" * 32), purpose)
    assert world.verdict(same_index, world.shown(0, 2)) == "entry_is_of_what_is_judged"
    other_list = world.judged(10, purpose, number=1)
    assert world.verdict(other_list, world.shown(0, 2)) == "entry_is_of_what_is_judged"

    assert issuer.decide(interface.COMPROMISE_KEY, world.prints[purpose], stolen_at_s).ok
    assert world.verdict(early, world.shown(0, 1)) == "good"
    assert world.verdict(late, world.shown(1, 2)) == "index_within_total"
    other = SIGNING if purpose is CONTRACT else CONTRACT
    assert world.verdict(world.judged(12, other)) == "good", "the other key has not ended"
    assert issuer.key(SEALING if other is CONTRACT else issuer.issuing).open_lists == 0

    since_s = issuer.key(SEALING if purpose is CONTRACT else issuer.issuing).added.time_s
    assert issuer.decide(interface.COMPROMISE_KEY, world.prints[purpose], since_s).ok
    assert world.verdict(early, world.shown(0, 1)) == "key_has_a_log"


def test_attack_N43_a_key_of_another_did_for_another_use_or_out_of_its_window_does_not_count():
    world = Issuing()
    strange = Judged(0, 1, Issuance(b"\x09" * 32, b"\x01" * 32), SIGNING)
    assert world.verdict(strange) == "key_is_the_dids"
    sealed_by_log = Issuance(thumbprint(public_key(world.issuer.logging)), b"\x01" * 32)
    assert world.verdict(Judged(0, 1, sealed_by_log, CONTRACT)) == "key_is_for"
    assert world.verdict(Judged(0, 1, Issuance(world.prints[CONTRACT], b"\x01" * 32), SIGNING)) == "key_is_for"
    short = named("short")
    until_s = world.hub.time_s + 50
    key = key_struct(public_key(short), SIGNING, end_s=until_s)
    assert world.issuer.decide(interface.ADD_KEY, key).ok
    lived = Judged(0, 1, Issuance(thumbprint(public_key(short)), b"\x01" * 32), SIGNING)
    assert world.verdict(lived) == "good"
    world.hub.advance(time_s=until_s)
    assert world.verdict(lived) == "key_counts" and world.issuer.key(short).end.state is KeyState.ACTIVE
