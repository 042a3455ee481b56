"""The bitcoin client passes the suite that every light client passes, but for absence, which it cannot prove."""

import pytest

from hutong.light_clients.interface import UnsupportedOperation
from tests.light_clients.bitcoin.bitcoin_harness import BitcoinHarness
from tests.light_clients.conformance.suite import KEY, OTHER_KEY, VALUE, LightClientConformance


class TestBitcoinConformance(LightClientConformance):
    make_harness = staticmethod(BitcoinHarness)

    def test_membership_and_absence_are_proven_at_their_heights(self):
        harness, client, before, height = self.stored_value()
        present, absent = harness.prove(KEY, height), harness.prove(OTHER_KEY, height)
        state = client.consensus_states.get(height)
        harness.client.verify_membership(client.state, state, present.proof, present.path, VALUE)
        for at in (before, height):
            with pytest.raises(UnsupportedOperation, match="absence"):
                harness.client.verify_non_membership(
                    client.state, client.consensus_states.get(at), absent.proof, absent.path
                )

    def test_message_is_proven_at_every_later_height_too(self):
        harness, client, _, height = self.stored_value()
        later = harness.advance(5)
        client.update(later, height)
        proven = harness.prove(KEY, later)
        harness.client.verify_membership(
            client.state, client.consensus_states.get(later), proven.proof, proven.path, VALUE
        )
