"""The tlog client passes the suite that every light client passes, but for absence and for smaller trees.

A root shows no absence. Trees below the largest are never written: a proof would have to lead on to it.
"""

import pytest

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, NoOp, UnsupportedOperation, Updated
from tests.light_clients.conformance.suite import KEY, OTHER_KEY, VALUE, LightClientConformance, above
from tests.light_clients.tlog.tlog_harness import TlogHarness


class TestTlogConformance(LightClientConformance):
    make_harness = staticmethod(TlogHarness)

    def stored_value(self):
        """Proven from the largest tree that is believed, as every larger one must be."""
        harness, client, trusted = self.start()
        before = harness.advance()
        client.update(before, trusted)
        harness.put(KEY, self.VALUE)
        height = harness.advance(2)
        client.update(height, before)
        return harness, client, before, height

    def test_stale_header_is_stored_and_leaves_the_latest_height(self):
        """A smaller checkpoint is a no-op."""
        harness, client, trusted = self.start()
        between, height = above(trusted), harness.advance(3)
        client.update(height, trusted)
        assert client.verify(harness.header(between, trusted)) == NoOp(between)

    def test_time_that_goes_back_between_stored_states_freezes(self):
        """A smaller tree cosigned late is a no-op: the same tree may be cosigned at any time after."""
        harness, client, trusted = self.start()
        between, height = above(trusted), harness.advance(2)
        client.update(height, trusted)
        late_ns = harness.time_ns(height) + NANOSECONDS_PER_SECOND
        assert client.verify(harness.header_with_time(between, trusted, late_ns), late_ns) == NoOp(between)

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

    def test_message_is_proven_under_every_larger_tree_too(self):
        harness, client, _, height = self.stored_value()
        later = harness.advance(5)
        client.update(later, height)
        proven = harness.prove(KEY, later)
        harness.client.verify_membership(
            client.state, client.consensus_states.get(later), proven.proof, proven.path, VALUE
        )

    def test_largest_tree_cosigned_anew_keeps_the_client_alive(self):
        harness, client, trusted = self.start()
        later_ns = harness.time_ns(trusted) + harness.trusting_period_ns // 2
        verdict = client.verify(harness.header_with_time(trusted, trusted, later_ns), later_ns)
        assert isinstance(verdict, Updated)
        assert verdict.height == trusted
        client.apply(verdict)
        edge_ns = harness.time_ns(trusted) + harness.trusting_period_ns
        assert client.status(edge_ns) == "Active"
        assert client.status(later_ns + harness.trusting_period_ns) == "Expired"
