"""Development chains under each consensus: what they seal is what the light clients and other people's verifiers read."""

import pytest
from eth_account import Account

from hutong.light_clients.bft_evm import Consensus, SealRules, block_hash, header_of
from hutong.light_clients.bft_evm.verification import judge_seals
from hutong.light_clients.clique import Header, Snapshot, sealed_block
from hutong.light_clients.clique.types import TrustedState
from hutong.light_clients.clique.verification import signers_may_seal
from hutong.light_clients.evm_header import decode_header
from hutong.light_clients.interface import VERIFY, Height
from hutong.relay.devnet import DevnetChain, DevnetError, Genesis
from hutong.relay.devnet.settings import CLIQUE_EPOCH_LENGTH
from hutong.relay.evm.store.database import MemoryStore

ADA = Account.from_key(b"\x01" * 32)
KEYS = tuple(bytes([number]) * 32 for number in range(1, 6))


def chain_of(consensus: str, store=None) -> DevnetChain:
    genesis = Genesis(1337, funds_wei={bytes.fromhex(ADA.address[2:]): 10**18}, consensus=consensus)
    return DevnetChain(store or MemoryStore(), genesis, private_keys=KEYS)


def header_at(chain: DevnetChain, number: int):
    named, header = chain.blocks.header(number)
    return named, decode_header(header.encode())


@pytest.mark.parametrize("consensus", ["qbft", "ibft2", "istanbul"])
def test_blocks_carry_their_validators_seals(consensus):
    chain = chain_of(consensus)
    for _ in range(3):
        chain.produce_block()
    rules = SealRules(Consensus[consensus.upper()])
    for number in (1, 2, 3):
        named, execution = header_at(chain, number)
        header = header_of(Height(0, 0), execution, (), rules.consensus)
        judge_seals(VERIFY, header, rules)
        assert block_hash(execution, header.extra) == named
        assert execution.parent_hash == header_at(chain, number - 1)[0]


def test_clique_blocks_are_sealed_in_turn_from_the_genesis_list_on():
    chain = chain_of("clique")
    for _ in range(6):
        chain.produce_block()
    named, genesis = header_at(chain, 0)
    first = sealed_block(genesis)
    assert (first.hash, first.signers) == (named, chain.validators)
    blocks = tuple(sealed_block(header_at(chain, number)[1]) for number in range(1, 7))
    trusted = TrustedState(0, first.hash, 0, Snapshot(0, first.signers, ()))
    branch = signers_may_seal(Header(Height(0, 0), 6, blocks, ()), trusted, CLIQUE_EPOCH_LENGTH)
    assert branch.weights[-1] == 2 * 6
    assert [block.hash for block in blocks] == [header_at(chain, number)[0] for number in range(1, 7)]


def test_clique_signers_are_not_ordered_away():
    with pytest.raises(DevnetError, match="by votes"):
        chain_of("clique").order_validator_change(add=1, remove=0)


def test_consensus_of_a_home_cannot_be_changed():
    store = MemoryStore()
    chain_of("istanbul", store)
    chain_of("istanbul", store)
    with pytest.raises(DevnetError, match="sealed by istanbul, not clique"):
        chain_of("clique", store)
    with pytest.raises(DevnetError, match="consensus pow is not offered"):
        Genesis(1337, consensus="pow")
