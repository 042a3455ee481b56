"""What an issuer sends to the hub: the module's own calls, and a log whose proofs are those of a whole tree."""

import pytest

from hutong.light_clients.proofs.merkle import ConsistencyProof, leaf_hash, verify_consistency
from hutong.light_clients.proofs.merkle.consistency import prove_consistency
from hutong.light_clients.proofs.merkle.proof import prove_leaf
from hutong.light_clients.proofs.merkle.tree import root_of_leaves
from hutong.relay.hub.application.identity import interface
from hutong.relay.services.identity.issuer.growing_log import GrowingLog
from hutong.relay.services.identity.issuer.hub.calls import Writer


def test_the_calls_are_those_of_the_module():
    writer = Writer(b"\x01" * 32, b"\x02" * 32)
    pair = (writer.did, writer.thumbprint)
    assert writer.open_list(b"\x03" * 32, b"\x04" * 32, b"\x05" * 32, 64) == interface.OPEN_LIST.call(
        pair, b"\x03" * 32, b"\x04" * 32, b"\x05" * 32, 1, 64
    )
    assert writer.update_list(7, b"xy", b"\x06" * 32) == interface.UPDATE_LIST.call(pair, 7, b"xy", b"\x06" * 32)
    assert writer.seal_list(7) == interface.SEAL_LIST.call(pair, 7)
    assert writer.append_log(9, b"\x07" * 32, [b"\x08" * 32]) == interface.APPEND_LOG.call(
        pair, 9, b"\x07" * 32, [b"\x08" * 32]
    )


def test_a_growing_log_proves_as_one_that_is_whole():
    log, leaves = GrowingLog(), []
    for number in range(40):
        log.append(bytes([number]))
        leaves.append(leaf_hash(bytes([number])))
        assert log.root() == root_of_leaves(leaves)
    for size in range(1, 41):
        assert log.root(size) == root_of_leaves(leaves[:size])
        assert log.consistency(size) == prove_consistency(leaves, size).nodes
        verify_consistency(ConsistencyProof(size, 40, log.consistency(size)), log.root(size), log.root())
        for index in range(size):
            assert log.inclusion(index, size) == prove_leaf(leaves[:size], index).aunts
    for index, size in ((40, 40), (3, 3), (0, 41)):
        with pytest.raises(IndexError):
            log.inclusion(index, size)
