"""ArchiveAnchor: a list for each publisher that only grows, kept where the proofs look for it."""

import pytest

from hutong.relay.archive.anchor import Anchor
from tests.contracts.evm import Evm, Reverted

PUBLISHER, OTHER = b"\x21" * 20, b"\x22" * 20
MAX_SIZE = 2**64 - 1


@pytest.fixture(params=["paris", "prague"])
def contract(request):
    """A fresh one under each fork that chains run."""
    return Evm(request.param).deploy("ArchiveAnchor")


def publish(contract, size: int, root: bytes, sender: bytes = PUBLISHER):
    return contract.transact("publish", size, root, sender=sender)


def test_a_publishers_roots_stand_in_order(contract):
    evm = contract.evm
    outcome = publish(contract, 3, b"\1" * 32)
    assert outcome.value == 0
    (event,) = outcome.named("Anchored")
    assert (event["index"], event["size"], event["time"]) == (0, 3, evm.timestamp_s)
    with evm.at(evm.timestamp_s + 60):
        assert publish(contract, MAX_SIZE, b"\2" * 32).value == 1
    assert contract.call("count", PUBLISHER) == 2 and contract.call("count", OTHER) == 0
    assert contract.call("anchorAt", PUBLISHER, 0) == (3, evm.timestamp_s, b"\1" * 32)
    assert contract.call("anchorAt", PUBLISHER, 1) == (MAX_SIZE, evm.timestamp_s + 60, b"\2" * 32)


@pytest.mark.parametrize("size", [0, 4, 5])
def test_a_log_only_grows(contract, size):
    publish(contract, 5, b"\1" * 32)
    with pytest.raises(Reverted) as caught:
        publish(contract, size, b"\2" * 32)
    assert (caught.value.name, caught.value.arguments) == ("SizeMustGrow", (size, 5))
    assert contract.call("count", PUBLISHER) == 1
    assert publish(contract, 1, b"\3" * 32, OTHER).value == 0  # another publisher's list is its own


def test_an_empty_log_has_no_anchor(contract):
    with pytest.raises(Reverted):
        publish(contract, 0, b"\1" * 32)
    with pytest.raises(Reverted):
        contract.call("anchorAt", PUBLISHER, 0)


def test_storage_is_where_a_proof_looks_for_it(contract):
    for index, (size, root) in enumerate([(3, b"\1" * 32), (2**40, b"\2" * 32)]):
        publish(contract, size, root)
        anchor = Anchor(contract.address, PUBLISHER, index, size, contract.evm.timestamp_s, root)
        stored = [contract.evm.storage(contract.address, int.from_bytes(slot, "big")) for slot in anchor.slots]
        assert [value.to_bytes(32, "big") for value in stored] == list(anchor.words)
