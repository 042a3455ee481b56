"""The demo's second block is evidence that a light client takes, since it is signed with the hub's own key."""

import pytest

from light_clients.interface import PredicateFailed, run_checks
from light_clients.tendermint.hashing import header_hash
from light_clients.tendermint.predicates import CommitSignatures
from light_clients.tendermint.verification import commit_checks
from relay.cli.demo.cosmos.evidence import twin
from relay.hub.node.home import validator_key
from tests.light_clients.tendermint.simulated_chain import Signer, SimulatedChain

VALIDATOR, STRANGER = Signer.numbered(0), Signer.numbered(1)


@pytest.fixture
def block():
    return SimulatedChain(members={VALIDATOR: 10}).advance(3)


def judge(signed_header, block):
    signatures = CommitSignatures(block.header.chain_id, signed_header.commit)
    run_checks(commit_checks(signed_header, block.validators, signatures))


def test_the_validator_has_signed_two_blocks_at_one_height(block):
    other = twin(block.signed_header, validator_key(VALIDATOR.secret))
    judge(block.signed_header, block)
    judge(other, block)
    assert other.header.height == block.header.height
    assert header_hash(other.header) != header_hash(block.header)


def test_another_key_makes_no_evidence(block):
    other = twin(block.signed_header, validator_key(STRANGER.secret))
    with pytest.raises(PredicateFailed):
        judge(other, block)
