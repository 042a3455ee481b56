"""The harness itself: what tests over a stock chain lean on."""

from collections.abc import Iterator

import pytest

from tests.nodes.cosmos.simd_chain import FEE_DENOM, GOVERNANCE, TOKEN_DENOM, SimdChain, running_simd
from tests.nodes.cosmos.simd_node import NodeFailed

pytestmark = pytest.mark.nodes

SECRETS = {"alice": bytes(31) + b"\x0a", "bob": bytes(31) + b"\x0b"}


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimdChain]:
    with running_simd(tmp_path_factory.mktemp("simd"), SECRETS, tx_index=False) as chain:
        yield chain


def test_accounts_are_funded_and_a_transfer_pays_a_fee(chain: SimdChain) -> None:
    alice, bob = (chain.accounts[name].address for name in ("alice", "bob"))
    supply, before, fees = chain.supply(TOKEN_DENOM), chain.balance(bob, TOKEN_DENOM), chain.balance(alice, FEE_DENOM)
    chain.transact("alice", "bank", "send", alice, bob, f"12{TOKEN_DENOM}")
    assert chain.balance(bob, TOKEN_DENOM) == before + 12
    assert chain.balance(alice, FEE_DENOM) < fees
    assert chain.supply(TOKEN_DENOM) == supply
    with pytest.raises(NodeFailed, match="insufficient funds"):
        chain.transact("alice", "bank", "send", alice, bob, f"{10**15}{TOKEN_DENOM}")


def test_a_killed_node_goes_on_from_its_own_disk(chain: SimdChain) -> None:
    height = chain.wait_blocks(2)
    chain.kill()
    assert not chain.node.running
    chain.restart()
    assert chain.wait_for_height(height + 1) > height


def test_a_second_validator_joins_the_set(chain: SimdChain) -> None:
    assert list(chain.validators().values()) == [100]
    node = chain.add_validator(power=10)
    assert sorted(chain.validators().values()) == [10, 100]
    # the first validator alone has two thirds, so a late vote of the second may be missing from a commit
    signed = chain.height()
    for height in range(signed, signed + 40):
        chain.wait_for_height(height + 1)
        commit = chain.node.request("commit", height=str(height))["signed_header"]["commit"]
        if [signature["block_id_flag"] for signature in commit["signatures"]] == [2, 2]:
            break
    else:
        raise AssertionError("the second validator signed none of 40 blocks")
    assert len(node.validator_secret()) == 32


def test_a_proposal_passes_in_seconds_and_a_failing_one_is_told(chain: SimdChain) -> None:
    alice = chain.accounts["alice"].address
    send = {
        "@type": "/cosmos.bank.v1beta1.MsgSend",
        "from_address": GOVERNANCE,
        "to_address": alice,
        "amount": [{"denom": TOKEN_DENOM, "amount": "5"}],
    }
    with pytest.raises(NodeFailed, match="proposal_failed"):
        chain.pass_proposal(send)
    chain.transact("bob", "bank", "send", chain.accounts["bob"].address, GOVERNANCE, f"5{TOKEN_DENOM}")
    before = chain.balance(alice, TOKEN_DENOM)
    chain.pass_proposal(send)
    assert chain.balance(alice, TOKEN_DENOM) == before + 5
