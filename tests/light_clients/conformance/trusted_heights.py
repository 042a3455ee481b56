"""What clients pass beside the suite whose headers are vouched for by a stored state."""

import pytest

from hutong.light_clients.interface import (
    ClientExpired,
    ClientStatus,
    NotEnoughTrust,
    PredicateFailed,
    UnknownHeight,
    Updated,
)
from tests.light_clients.conformance.suite import LightClientConformance, above


class TrustedHeightConformance(LightClientConformance):
    """Subclass with `make_harness`, in place of `LightClientConformance`."""

    def test_header_at_or_below_its_trusted_height_is_refused(self):
        harness, client, trusted = self.start()
        height = harness.advance(2)
        client.update(height, trusted)
        for at in (height, above(trusted)):
            with pytest.raises(PredicateFailed) as caught:
                client.verify(harness.header(at, height))
            assert caught.value.predicate == "height_increases"

    def test_unknown_trusted_height_is_named(self):
        harness, client, trusted = self.start()
        height = harness.advance(3)
        with pytest.raises(UnknownHeight) as caught:
            client.verify(harness.header(height, above(trusted)))
        assert caught.value.height == above(trusted)

    def test_expired_trusted_state_vouches_for_nothing_while_a_newer_one_is_fresh(self):
        harness, client, trusted = self.start()
        newer = harness.advance()
        client.update(newer, trusted)
        height = harness.advance()
        edge_ns = harness.time_ns(trusted) + harness.trusting_period_ns
        assert client.status(edge_ns) is ClientStatus.ACTIVE
        with pytest.raises(ClientExpired):
            client.verify(harness.header(height, trusted), edge_ns)
        assert isinstance(client.verify(harness.header(height, newer), edge_ns), Updated)


class SkippingConformance(TrustedHeightConformance):
    """Subclass with `make_harness` where a header is believed without those between, by what the trusted signers still hold."""

    def test_strangers_are_not_enough_trust_and_a_nearer_header_is(self):
        harness, client, trusted = self.start()
        harness.replace_validators()
        height = harness.advance(4)
        verdict = client.verify(harness.header(height, trusted))
        assert isinstance(verdict, NotEnoughTrust), verdict
        assert verdict.signed_power < verdict.needed_power <= verdict.total_power or verdict.signed_power == 0
        client.update(above(trusted), trusted)
