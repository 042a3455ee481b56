"""One signing process while others are in the set: blocks go on above two thirds of the power, and below it says why they do not."""

from dataclasses import replace

import pytest

from hutong.relay.base.durable_files import write_durably
from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.evm.store.lmdb_store import LmdbStore
from hutong.relay.hub.application.genesis import GenesisValidator, encode_genesis
from hutong.relay.hub.engine.signer import LAST_SIGNED_FILE
from hutong.relay.hub.engine.standing import why_no_blocks
from hutong.relay.hub.home.home import DATABASE_DIRECTORY, GENESIS_FILE
from hutong.relay.hub.home.last_signed import encode_last_signed
from hutong.relay.hub.home.process import NodeRefused
from hutong.relay.hub.process.start import open_node
from tests.relay.hub.application.governance.test_hub_validators import KEYS, NEW, set_validator
from tests.relay.hub.application.test_hub_determinism import DriverRun
from tests.relay.hub.hub_process import new_home
from tests.relay.hub.simulated_hub import VALIDATOR, SimulatedHub, hub_genesis

OWN = VALIDATOR.public_key.address


def grown(store, *changes: tuple[bytes, int]) -> SimulatedHub:
    """A hub of one validator whose admins made these changes, and the blocks that they need to act."""
    hub = SimulatedHub(store)
    for key in KEYS:
        hub.add_key(key)
    for public_key, power in changes:
        assert set_validator(hub, public_key, power).ok
    hub.advance()
    hub.advance()
    return hub


@pytest.mark.parametrize(
    ("own", "other", "words"),
    [
        (10, 4, None),
        (10, 5, "has 10 of 15 voting power"),
        (1, 40, "has 1 of 41"),
        (0, 9, "is not in the validator set"),
    ],
)
def test_blocks_need_more_than_two_thirds(own, other, words):
    genesis = replace(hub_genesis(), validators=(GenesisValidator(NEW.public_key, other),))
    hub = SimulatedHub(genesis=genesis, validator_keys=(NEW,))
    validators = hub.ledger.tip.validators
    (member,) = validators.validators
    mine = replace(member, address=OWN, public_key=VALIDATOR.public_key, voting_power=own)
    validators = replace(validators, validators=(member, mine) if own else (member,))
    reason = why_no_blocks(validators, 7, OWN)
    if words is None:
        assert reason is None
    else:
        assert words in reason
        assert reason.startswith("no block 7: ")
        assert OWN.hex().upper() in reason


async def test_rounds_of_an_absent_proposer_are_passed_over(tmp_path, autojump_clock):
    store = MemoryStore()
    grown(store, (NEW.public_key.data, 4))
    run = DriverRun(new_home(tmp_path / "hub"), store, hub_genesis())
    first = run.ledger.tip.height
    await run.drive(40.5)
    records = run.ledger.records
    made = range(first + 1, run.ledger.tip.height + 1)
    assert len(made) > 30
    assert {records.block(height).block.header.proposer_address for height in made} == {OWN}
    rounds = [records.commit(height).round for height in made]
    assert max(rounds) == 1
    # The other's turns are 4 of 14.
    assert len(made) // 5 <= sum(rounds) <= len(made) // 3
    assert not run.waiting


async def test_a_node_whose_key_decides_nothing_signs_nothing_and_says_why(tmp_path, autojump_clock):
    store = MemoryStore()
    grown(store, (NEW.public_key.data, 10))
    run = DriverRun(new_home(tmp_path / "hub"), store, hub_genesis())
    height = run.ledger.tip.height
    await run.drive(60)
    assert (run.ledger.tip.height, run.signer.record.height, run.blocks) == (height, 0, [])
    (reason,) = run.waiting
    assert "has 10 of 20 voting power" in reason


async def test_a_removed_key_signs_its_last_block_and_then_nothing(tmp_path, autojump_clock):
    """The set of two blocks on is without it: both blocks before are still its own."""
    store = MemoryStore()
    hub = SimulatedHub(store)
    hub.add_key(NEW)
    assert set_validator(hub, NEW.public_key.data, 10).ok
    hub.advance()
    hub.advance()
    assert set_validator(hub, NEW.public_key.data, 20).ok
    assert set_validator(hub, VALIDATOR.public_key.data, 0).ok
    assert OWN in [member.address for member in hub.ledger.tip.validators.validators]
    hub.advance()
    run = DriverRun(new_home(tmp_path / "hub"), store, hub_genesis())
    assert [member.address for member in run.ledger.tip.validators.validators] == [NEW.public_key.address]
    await run.drive(10)
    assert (run.blocks, run.signer.record.height) == ([], 0)
    assert "is not in the validator set" in run.waiting[0]


def test_a_home_whose_key_cannot_begin_the_chain_is_refused(tmp_path):
    home = new_home(tmp_path / "hub")
    for members, words in (
        (((NEW, 10),), "is not in the validator set"),
        (((NEW, 5), (VALIDATOR, 10)), "has 10 of 15 voting power"),
    ):
        genesis = replace(
            hub_genesis(), validators=tuple(GenesisValidator(key.public_key, power) for key, power in members)
        )
        write_durably(home / GENESIS_FILE, encode_genesis(genesis))
        with pytest.raises(NodeRefused, match=words):
            open_node(home)
        for file in (home / DATABASE_DIRECTORY).iterdir():
            file.unlink()


def test_a_grown_chain_opens_also_where_the_key_waits(tmp_path):
    home = new_home(tmp_path / "hub")
    store = LmdbStore(home / DATABASE_DIRECTORY)
    hub = grown(store, (NEW.public_key.data, 10))
    height = hub.height
    store.close()
    record = replace(open_record(home), height=height)
    write_durably(home / LAST_SIGNED_FILE, encode_last_signed(record))
    node = open_node(home)
    assert node.ledger.tip.height == height
    node.store.close()


def open_record(home):
    from hutong.relay.hub.home.last_signed import decode_last_signed

    return decode_last_signed((home / LAST_SIGNED_FILE).read_bytes())
