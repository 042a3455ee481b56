"""Attack lines C1 to C14 through the hub's `updateClient`: refused without any change of state, beside the header that passes."""

from dataclasses import replace

import pytest

from hutong.light_clients.tendermint.types import BlockId, KeyType, SignedMessageType, ValidatorSet
from hutong.relay.hub.application.modules import ROUTER_ADDRESS
from tests.light_clients.tendermint.simulated_chain import SimulatedChain, flags, signers
from tests.relay.hub.application.clients.tendermint_remote import TendermintRemote
from tests.relay.hub.application.packets.test_hub_packet_attacks import content
from tests.relay.hub.simulated_hub import SimulatedHub

SECOND = 10**9
TRUSTED, TOP = 2, 5


def remote_at_top(hub: SimulatedHub, **chain) -> TendermintRemote:
    """A chain of five blocks whose client on the hub trusts the second."""
    made = SimulatedChain(**chain)
    made.advance()
    remote = TendermintRemote(hub, chain=made)
    made.advance(TOP - TRUSTED)
    hub.advance(time_s=max(hub.time_s, made.latest.header.time_ns // SECOND + 1))
    return remote


def refuses(hub: SimulatedHub, remote: TendermintRemote, header) -> None:
    before = content(hub)
    assert not hub.send(ROUTER_ADDRESS, remote.header_call(header)).ok
    assert content(hub) == before


def accepts(hub: SimulatedHub, remote: TendermintRemote, header) -> None:
    before = content(hub)
    outcome = hub.send(ROUTER_ADDRESS, remote.header_call(header))
    assert outcome.ok, (outcome.log, outcome.data)
    assert content(hub) != before


def forked(remote: TendermintRemote, **changes):
    return remote.chain.update(TOP, TRUSTED, remote.chain.fork(TOP, **changes))


def test_attack_C1_hub_exactly_two_thirds_and_exactly_the_trust_level(hub):
    remote = remote_at_top(hub, members=dict.fromkeys(signers(3), 10))
    refuses(hub, remote, forked(remote, flags=flags(absent=[2])))
    accepts(hub, remote, remote.chain.update(TOP, TRUSTED))


@pytest.mark.parametrize(
    ("changes"),
    [
        {"signed_type": SignedMessageType.PREVOTE},
        {"signed_type": SignedMessageType.PROPOSAL},
        {"flags": flags(nil=[1, 2])},
        {"flags": flags(absent=[1, 2])},
    ],
)
def test_attack_C4_hub_votes_of_another_kind_count_nothing(hub, changes):
    remote = remote_at_top(hub)
    refuses(hub, remote, forked(remote, **changes))
    accepts(hub, remote, forked(remote, flags=flags(nil=[3])))


@pytest.mark.parametrize(
    "changes",
    [
        {"signed_chain_id": "sim-2"},
        {"signed_height": TOP - 1},
        {"signed_round": 1},
        {"signed_block_id": BlockId(b"\x01" * 32)},
    ],
)
def test_attack_C5_hub_signatures_over_something_else(hub, changes):
    remote = remote_at_top(hub)
    refuses(hub, remote, forked(remote, **changes))
    accepts(hub, remote, forked(remote, round_=1))


def test_attack_C2_hub_one_signature_in_two_entries(hub):
    remote = remote_at_top(hub)
    honest = remote.chain.update(TOP, TRUSTED)
    commit = honest.signed_header.commit
    first = commit.signatures[0]
    twice = replace(commit, signatures=(first, first, first, first))
    refuses(hub, remote, replace(honest, signed_header=replace(honest.signed_header, commit=twice)))
    accepts(hub, remote, honest)


def test_attack_C3_hub_address_that_is_not_of_the_key(hub):
    remote = remote_at_top(hub)
    honest = remote.chain.update(TOP, TRUSTED)
    validators = honest.validator_set.validators
    lying = ValidatorSet((replace(validators[0], address=validators[1].address), *validators[1:]), validators[1])
    refuses(hub, remote, replace(honest, validator_set=lying))
    accepts(hub, remote, honest)


def test_attack_C6_hub_commit_of_another_header(hub):
    remote = remote_at_top(hub)
    honest = remote.chain.update(TOP, TRUSTED)
    other = remote.chain.fork(TOP, app_hash=b"\x07" * 32).signed_header.commit
    refuses(hub, remote, replace(honest, signed_header=replace(honest.signed_header, commit=other)))
    accepts(hub, remote, honest)


def test_attack_C7_hub_sets_that_are_not_under_their_hashes(hub):
    remote = remote_at_top(hub)
    honest = remote.chain.update(TOP, TRUSTED)
    strangers = SimulatedChain(members=dict.fromkeys(signers(4, label="stranger"), 10)).latest.validators
    refuses(hub, remote, replace(honest, validator_set=strangers))
    refuses(hub, remote, replace(honest, trusted_validators=strangers))
    accepts(hub, remote, honest)


def test_attack_C8_hub_too_little_overlap_needs_a_nearer_header(hub):
    remote = remote_at_top(hub)
    chain = remote.chain
    chain.set_members(dict.fromkeys(signers(4, label="newcomer"), 10))
    chain.advance(3)
    top = len(chain.blocks)
    hub.advance(time_s=max(hub.time_s, chain.latest.header.time_ns // SECOND + 1))
    refuses(hub, remote, chain.update(top, TRUSTED))
    accepts(hub, remote, chain.update(TOP + 1, TRUSTED))
    accepts(hub, remote, chain.update(top, TOP + 1))


def test_attack_C9_hub_times_that_stand_go_back_or_run_ahead(hub):
    remote = remote_at_top(hub)
    trusted_ns = remote.chain.block(TRUSTED).header.time_ns
    for time_ns in (trusted_ns, trusted_ns - 1, (hub.time_s + 3_600) * SECOND):
        refuses(hub, remote, forked(remote, time_ns=time_ns))
    accepts(hub, remote, forked(remote, time_ns=trusted_ns + 1))


def test_attack_C10_hub_trusted_state_past_its_period(hub):
    remote = remote_at_top(hub)
    accepts(hub, remote, remote.chain.update(TOP - 1, TRUSTED))
    hub.advance(time_s=hub.time_s + remote.chain.trusting_period_ns // SECOND + 60)
    hub.advance()
    refuses(hub, remote, remote.chain.update(TOP, TRUSTED))


def test_attack_C11_hub_height_not_above_or_of_another_chain(hub):
    remote = remote_at_top(hub)
    refuses(hub, remote, replace(remote.chain.update(TOP, TRUSTED), trusted_height=remote.chain.height(TOP)))
    refuses(hub, remote, forked(remote, chain_id="other-1"))
    refuses(hub, remote, forked(remote, chain_id="sim-2"))
    accepts(hub, remote, remote.chain.update(TOP, TRUSTED))


def test_attack_C12_hub_powers_zero_and_an_empty_set(hub):
    remote = remote_at_top(hub)
    honest = remote.chain.update(TOP, TRUSTED)
    validators = honest.validator_set.validators
    powerless = ValidatorSet((*validators[:-1], replace(validators[-1], voting_power=0)), validators[0])
    refuses(hub, remote, replace(honest, validator_set=powerless))
    refuses(hub, remote, replace(honest, validator_set=ValidatorSet((), None)))
    accepts(hub, remote, honest)


def test_attack_C13_hub_empty_hashes(hub):
    remote = remote_at_top(hub)
    honest = remote.chain.update(TOP, TRUSTED)
    for name in ("app_hash", "next_validators_hash"):
        refuses(hub, remote, forked(remote, **{name: b""}))
    headless = replace(honest.signed_header.header, validators_hash=b"")  # has no hash that could be signed
    refuses(hub, remote, replace(honest, signed_header=replace(honest.signed_header, header=headless)))
    accepts(hub, remote, honest)


def test_attack_C14_hub_ed25519_signature_of_zeros(hub):
    remote = remote_at_top(hub, members=dict.fromkeys(signers(4, KeyType.ED25519), 10))
    honest = remote.chain.update(TOP, TRUSTED)
    commit = honest.signed_header.commit
    zeros = replace(commit.signatures[0], signature=bytes(64))
    broken = replace(commit, signatures=(zeros, *commit.signatures[1:]))
    refuses(hub, remote, replace(honest, signed_header=replace(honest.signed_header, commit=broken)))
    accepts(hub, remote, honest)
