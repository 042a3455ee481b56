"""What the last-signed record lets a validator do at a height whose log is gone: the rule by itself."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.tendermint.hashing import proposal_sign_bytes
from hutong.light_clients.tendermint.types import BlockId, PartSetHeader
from hutong.relay.hub.consensus.lost_log import WithoutLog, without_log
from hutong.relay.hub.consensus.signing import LastSigned, Signed
from hutong.relay.hub.consensus.types import NIL, Step
from hutong.relay.hub.consensus.votes import vote_bytes
from tests.relay.hub.consensus.consensus_table import PRECOMMIT, PREVOTE, Table
from tests.relay.hub.simulation.validator import CHAIN_ID

pytestmark = pytest.mark.safety

SOME_BLOCK = BlockId(b"\x01" * 32, PartSetHeader(1, b"\x02" * 32))
TABLE = Table()


def with_powers(own: int, other: int = 10):
    members = tuple(
        replace(item, voting_power=own if item.address == TABLE.me else other) for item in TABLE.validators.validators
    )
    return replace(TABLE.validators, validators=members)


def votes(*named):
    kinds = {PREVOTE: Step.PREVOTE, PRECOMMIT: Step.PRECOMMIT}
    found = [TABLE.vote(TABLE.me, kind, 2, block_id) for kind, block_id in named]
    entries = [Signed(kinds[v.message_type], vote_bytes(CHAIN_ID, v), v.timestamp_ns, v.signature) for v in found]
    return LastSigned(1, 2, tuple(entries)), tuple(found)


OFFER = Signed(Step.PROPOSE, proposal_sign_bytes(CHAIN_ID, 1, 2, -1, SOME_BLOCK, 5), 5, b"\x01" * 64)


@pytest.mark.parametrize(("own", "goes_on"), [(60, False), (61, True), (10, False)])
def test_only_more_than_two_thirds_of_the_power_goes_on(own, goes_on):
    record, _ = votes((PREVOTE, NIL))
    assert without_log(record, CHAIN_ID, with_powers(own), TABLE.me).signs == goes_on
    assert without_log(record, CHAIN_ID, with_powers(own), b"\x05" * 20) == WithoutLog(2, signs=False)


@pytest.mark.parametrize(
    "named", [(), ((PREVOTE, SOME_BLOCK),), ((PREVOTE, SOME_BLOCK), (PRECOMMIT, NIL)), ((PRECOMMIT, NIL),)]
)
def test_where_nothing_was_decided_the_next_round_begins_anew(named):
    record, _ = votes(*named)
    record = replace(record, signed=(OFFER, *record.signed))
    assert without_log(record, CHAIN_ID, with_powers(70), TABLE.me) == WithoutLog(3, signs=True)


def test_a_precommit_for_a_block_is_the_last_signature_of_the_height_and_counts_again():
    record, given_votes = votes((PREVOTE, SOME_BLOCK), (PRECOMMIT, SOME_BLOCK))
    record = replace(record, signed=(OFFER, *record.signed))
    assert without_log(record, CHAIN_ID, with_powers(70), TABLE.me) == WithoutLog(2, signs=False, votes=given_votes)


@given(st.binary(max_size=120))
def test_attack_H_hub_a_precommit_that_cannot_be_read_is_the_last_signature_of_the_height(sign_bytes):
    record = LastSigned(1, 2, (Signed(Step.PRECOMMIT, sign_bytes, 5, b"\x01" * 64),))
    assert without_log(record, CHAIN_ID, with_powers(70), TABLE.me) == WithoutLog(2, signs=False)
