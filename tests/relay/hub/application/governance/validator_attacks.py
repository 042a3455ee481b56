"""Headers about one great change of a hub's set, honest and forged, each with the verdict that every client must give.

At block `CHANGE.height` the set of powers 30, 20, 20, 10 loses its last member and gains one of 60: as much as one block may.
"""

from dataclasses import dataclass, replace

from hutong.light_clients.interface import Height
from hutong.light_clients.tendermint.codec import (
    encode_client_state,
    encode_consensus_state,
    encode_misbehaviour,
    encode_tendermint_header,
)
from hutong.light_clients.tendermint.hashing import header_hash, sign_digest, validator_set_hash
from hutong.light_clients.tendermint.types import (
    MAX_TOTAL_VOTING_POWER,
    BlockId,
    Header,
    KeyType,
    Misbehaviour,
    PartSetHeader,
    SignedHeader,
    SignedMessageType,
    TendermintHeader,
    Validator,
    ValidatorSet,
)
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import action_hash, set_validator_action
from hutong.relay.hub.application.genesis import GenesisValidator
from hutong.relay.hub.application.modules import CLIENT_MANAGER_ADDRESS
from hutong.relay.hub.consensus.types import Vote
from hutong.relay.hub.consensus.votes import Tally, vote_bytes
from hutong.relay.hub.home.home import ValidatorKey
from tests.oracle.case import Case
from tests.relay.hub.application.governance.test_hub_validators import KEYS
from tests.relay.hub.simulated_hub import ADMINS, SimulatedHub, hub_genesis

OLD_POWERS = (30, 20, 20, 10)
OLD, JOINING, LEAVING = KEYS[:4], KEYS[4], KEYS[3]
JOINING_POWER = 60
STRANGERS = KEYS[10:14]
NOW_S_LATER = 2


@dataclass(frozen=True)
class GreatChange:
    """A hub past its change; `height` is the block whose transactions changed the set."""

    hub: SimulatedHub
    height: int

    @property
    def old(self) -> ValidatorSet:
        return self.hub.ledger.records.validators(self.height)

    @property
    def new(self) -> ValidatorSet:
        return self.hub.ledger.records.validators(self.height + 2)

    def header(self, height: int, trusted: int) -> TendermintHeader:
        return self.hub.tendermint_header(height, trusted)


def great_change() -> GreatChange:
    """Both actions in one block, and six blocks more."""
    members = tuple(GenesisValidator(key.public_key, power) for key, power in zip(OLD, OLD_POWERS, strict=True))
    hub = SimulatedHub(genesis=replace(hub_genesis(), validators=members), validator_keys=KEYS)
    actions = [
        set_validator_action(1, JOINING.public_key.data, JOINING_POWER),
        set_validator_action(2, LEAVING.public_key.data, 0),
    ]
    for action in actions:
        hashed = action_hash(hub.genesis.chain_id, action)
        for admin in ADMINS[:2]:
            assert hub.send(CLIENT_MANAGER_ADDRESS, abi.APPROVE.call(hashed), admin).ok
    calls = [hub.raw(CLIENT_MANAGER_ADDRESS, abi.EXECUTE.call(action), ADMINS[0], gas=1_000_000) for action in actions]
    assert all(outcome.ok for outcome in hub.advance(*calls))
    change = GreatChange(hub, hub.height)
    for _ in range(6):
        hub.advance()
    return change


def signed_by(keys: tuple[ValidatorKey, ...], validators: ValidatorSet, header: Header) -> SignedHeader:
    """A commit for any header by these members of a set."""
    block_id = BlockId(header_hash(header), PartSetHeader(1, b"\x09" * 32))
    votes = {}
    for index, member in enumerate(validators.validators):
        for key in keys:
            if key.public_key == member.public_key:
                vote = Vote(
                    SignedMessageType.PRECOMMIT,
                    header.height,
                    0,
                    block_id,
                    header.time_ns + 10**9,
                    index,
                    member.address,
                )
                digest = sign_digest(KeyType.SECP256K1, vote_bytes(header.chain_id, vote))
                votes[index] = replace(vote, signature=key.sign(digest))
    return SignedHeader(header, Tally(votes).commit(validators, block_id))


def forged_header(change: GreatChange, validators: ValidatorSet, height: int) -> Header:
    """Another block of this height, with another application state, by `validators`."""
    honest = change.hub.ledger.records.block(height).block.header
    return replace(
        honest,
        app_hash=b"\x66" * 32,
        validators_hash=validator_set_hash(validators),
        proposer_address=validators.validators[0].address,
    )


def set_of(keys: tuple[ValidatorKey, ...], power: int) -> ValidatorSet:
    return ValidatorSet.of(tuple(Validator.of(key.public_key, power) for key in keys))


def with_power(validators: ValidatorSet, power: int) -> ValidatorSet:
    """Its last member has another power."""
    *others, last = validators.validators
    return replace(validators, validators=(*others, replace(last, voting_power=power)))


def validator_change_cases() -> list[Case]:
    """Family `hub set`: the attack's code leads the name."""
    change = great_change()
    at = change.height
    cases: list[Case] = []

    def add(name: str, update: TendermintHeader, expected: str) -> None:
        cases.append(_case(change, name, "header", encode_tendermint_header(update), update.trusted_height, expected))

    for height in (at + 1, at + 2, at + 3):
        add(f"C43 adjacent to {height - at} after the change", change.header(height, height - 1), "valid")
    add("C43 skipping over the change", change.header(at + 2, at), "valid")
    add("C8 skipping far over the change", change.header(at + 6, at - 1), "valid")
    adjacent, skipping = change.header(at + 2, at + 1), change.header(at + 2, at)
    add("C43 first block of the new set under the old set", replace(adjacent, validator_set=change.old), "invalid")
    add(
        "C43 the old set trusted after its successor was named",
        replace(adjacent, trusted_validators=change.old),
        "invalid",
    )
    add(
        "C43 last block of the old set under the new set",
        replace(change.header(at + 1, at), validator_set=change.new),
        "invalid",
    )
    swapped = replace(skipping, validator_set=skipping.trusted_validators, trusted_validators=skipping.validator_set)
    add("C7 sets swapped", swapped, "invalid")
    add("C7 the new set trusted too early", replace(skipping, trusted_validators=change.new), "invalid")
    for power in (0, -1, MAX_TOTAL_VOTING_POWER, 11):
        for field in ("validator_set", "trusted_validators"):
            damaged = with_power(getattr(adjacent, field), power)
            add(f"C12 power {power} in {field}", replace(adjacent, **{field: damaged}), "invalid")
    for field in ("validator_set", "trusted_validators"):
        add(f"C12 empty {field}", replace(adjacent, **{field: ValidatorSet(())}), "invalid")
    strangers = set_of(STRANGERS, 50)
    by_strangers = signed_by(STRANGERS, strangers, forged_header(change, strangers, at + 2))
    add(
        "C8 the next block by a set that was not named",
        replace(adjacent, signed_header=by_strangers, validator_set=strangers),
        "invalid",
    )
    add(
        "C8 a later block by strangers alone",
        replace(skipping, signed_header=by_strangers, validator_set=strangers),
        "invalid",
    )
    by_leaving = signed_by((LEAVING,), set_of((LEAVING,), 1), forged_header(change, set_of((LEAVING,), 1), at + 2))
    add(
        "C8 a later block by an eighth of the trusted power",
        replace(skipping, signed_header=by_leaving, validator_set=set_of((LEAVING,), 1)),
        "invalid",
    )
    by_old = signed_by(OLD, change.old, forged_header(change, change.old, at + 2))
    add(
        "C43 the old set goes on after its end, adjacent",
        replace(adjacent, signed_header=by_old, validator_set=change.old),
        "invalid",
    )
    fork = replace(skipping, signed_header=by_old, validator_set=change.old)
    add("C43 the old set forks, for a client that knows only it", fork, "valid")
    cases.append(
        _case(
            change,
            "C43 the old set stays accountable for its fork",
            "misbehaviour",
            encode_misbehaviour(Misbehaviour("07-tendermint-0", fork, skipping)),
            skipping.trusted_height,
            "misbehaviour",
        )
    )
    return cases


def _case(change: GreatChange, name: str, kind: str, message: bytes, trusted: Height, expected: str) -> Case:
    hub, height = change.hub, trusted.revision_height
    state = encode_consensus_state(hub.consensus_state(height))
    now_ns = (hub.time_s + NOW_S_LATER) * 10**9
    client = encode_client_state(hub.client_state(height))
    return Case("hub set", name, kind, now_ns, client, ((trusted, state),), message, expected=expected)
