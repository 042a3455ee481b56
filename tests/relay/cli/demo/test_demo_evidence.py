"""The demo's second block is evidence that a light client takes, since it is signed with the hub's own key."""

from dataclasses import replace

import pytest

from hutong.light_clients.interface import VERIFY, PredicateFailed
from hutong.light_clients.tendermint.hashing import header_hash
from hutong.light_clients.tendermint.predicates import CommitSignatures
from hutong.light_clients.tendermint.verification import judge_commit
from hutong.relay.demo.cosmos.evidence import twin
from hutong.relay.hub.home.home import validator_key
from tests.light_clients.tendermint.simulated_chain import Signer, SimulatedChain, flags

VALIDATORS = [Signer.numbered(number) for number in range(4)]
STRANGER = Signer.numbered(4)
KEYS = [validator_key(signer.secret) for signer in VALIDATORS]


def chain(count):
    return SimulatedChain(members=dict.fromkeys(VALIDATORS[:count], 10))


def judge(signed_header, block):
    signatures = CommitSignatures(block.header.chain_id, signed_header.commit)
    judge_commit(VERIFY, signed_header, block.validators, signatures)


@pytest.mark.parametrize("count", [1, 4])
def test_the_validators_have_signed_two_blocks_at_one_height(count):
    block = chain(count).advance(3)
    other = twin(block.signed_header, KEYS)
    judge(block.signed_header, block)
    judge(other, block)
    assert other.header.height == block.header.height
    assert header_hash(other.header) != header_hash(block.header)


@pytest.mark.parametrize("missing", [flags(absent=[1]), flags(nil=[1])])
def test_who_did_not_sign_the_real_block_signs_no_other(missing):
    block = chain(4).advance(3, flags=missing)
    other = twin(block.signed_header, KEYS)
    judge(other, block)
    real, forged = block.signed_header.commit.signatures, other.commit.signatures
    assert [index for index in range(4) if real[index] == forged[index]] == [1]


@pytest.mark.parametrize("count", [1, 4])
def test_another_key_makes_no_evidence(count):
    block = chain(count).advance(3)
    stranger = validator_key(STRANGER.secret)
    impostors = [replace(stranger, public_key=key.public_key) for key in KEYS]
    other = twin(block.signed_header, impostors)
    with pytest.raises(PredicateFailed):
        judge(other, block)
