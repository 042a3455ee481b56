"""A validator whose signer is away is silent, and makes good what is still of use when it is back. On trio's mock clock."""

import pytest
import trio

from hutong.relay.hub.engine.block_signer import SignerAway
from tests.relay.hub.network.simulated_network import SimulatedNetwork


class Signer:
    """Stands before a validator's signer, and goes away."""

    def __init__(self, validator) -> None:
        self.validator, self.away, self.asked_in_vain = validator, False, 0
        signer = validator.signer
        for name in ("sign_vote", "sign_proposal"):
            setattr(signer, name, self._unless_away(getattr(signer, name)))

    def _unless_away(self, function):
        def asked(request):
            if self.away:
                self.asked_in_vain += 1
                raise SignerAway("signer: gone")
            return function(request)

        return asked

    def come_back(self) -> None:
        self.away = False
        self.validator.node.driver.signer_is_back()


def committed_by(network, reader, of, height) -> bool:
    commit = network.validators[reader].ledger.records.commit(height)
    address = network.validators[of].key.public_key.address
    return any(entry.validator_address == address for entry in commit.signatures)


@pytest.fixture
def network(tmp_path):
    return SimulatedNetwork(tmp_path, 4, block_interval_ms=200, proof_block_delay_ms=50)


@pytest.mark.long
async def test_others_go_on_while_a_signer_is_away_and_its_validator_signs_again_when_it_is_back(
    network, autojump_clock
):
    async with trio.open_nursery() as nursery:
        network.start(nursery, 0, 1, 2, 3)
        signer = Signer(network.validators[1])
        await network.reach(2)
        signer.away = True
        before = len(network.validators[1].signed)
        gone_at = network.validators[0].height + 2
        await network.reach(gone_at + 6)
        assert signer.asked_in_vain > 0
        assert len(network.validators[1].signed) == before
        due = network.validators[1].node.driver.signatures_due
        assert (due.lost.is_set(), due.reason) == (True, "signer: gone")
        assert not any(committed_by(network, 0, 1, height) for height in range(gone_at, gone_at + 5))
        signer.come_back()
        assert (due.lost.is_set(), due.reason) == (False, "")
        back_at = network.validators[0].height + 2
        await network.reach(back_at + 6)
        nursery.cancel_scope.cancel()
    assert any(committed_by(network, 0, 1, height) for height in range(back_at, back_at + 5))


@pytest.mark.long
async def test_a_network_that_needs_the_silent_validator_goes_on_from_where_it_stood(network, autojump_clock):
    """Nothing else would end the wait: no timer runs before two thirds have voted."""
    async with trio.open_nursery() as nursery:
        network.start(nursery, 0, 1, 2)
        signer = Signer(network.validators[1])
        with trio.fail_after(200):
            while network.validators[0].height < 2:  # noqa: ASYNC110
                await trio.sleep(0.05)
        signer.away = True
        await trio.sleep(60)
        stands_at = network.validators[0].height
        await trio.sleep(60)
        assert network.validators[0].height == stands_at
        assert signer.asked_in_vain > 0
        signer.come_back()
        with trio.fail_after(200):
            while network.validators[0].height < stands_at + 3:  # noqa: ASYNC110
                await trio.sleep(0.05)
        nursery.cancel_scope.cancel()
    signed = network.validators[1].signed
    assert len({(vote.height, vote.round, vote.message_type, vote.block_id) for vote in signed}) == len(
        {(vote.height, vote.round, vote.message_type) for vote in signed}
    )
