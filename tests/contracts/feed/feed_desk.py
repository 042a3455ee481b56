"""A Feed on one chain, and what people do with it."""

import pytest

from hutong.light_clients.feeds import Round, feed_id, judge_round, round_slot
from hutong.light_clients.interface import VERIFY, VerificationError
from tests.contracts.evm import Evm, Reverted
from tests.light_clients.feeds.feed_signers import TIME_S

DESCRIPTION = ("signers", "threshold", "rule", "decimals", "heartbeat_s", "label")


def description_tuple(feed, **changes):
    """A description as the ABI has it, with what a test changes."""
    fields = {name: getattr(feed, name) for name in DESCRIPTION} | changes
    fields["signers"] = [f"0x{signer.hex()}" for signer in fields["signers"]]
    fields["rule"] = int(fields["rule"])
    return tuple(fields.values())


class FeedDesk:
    """The block's time is `TIME_S` until a test says otherwise."""

    def __init__(self, fork="paris", chain_id=1337):
        self.evm = Evm(fork, timestamp_s=TIME_S, chain_id=chain_id)
        self.contract = self.evm.deploy("Feed")

    def push(self, feed, reports, *, time_s=TIME_S, description=None):
        values = [report.value for report in reports]
        signatures = b"".join(report.signature for report in reports)
        described = description or description_tuple(feed)
        return self.contract.transact("push", described, time_s, values, signatures)

    def read(self, feed, max_age_s=60):
        return Round(*self.contract.call("read", feed_id(feed), max_age_s))

    def latest(self, feed):
        return self.contract.call("latest", feed_id(feed))

    def word(self, feed):
        """What a storage proof would show of the feed."""
        slot = int.from_bytes(round_slot(feed_id(feed)), "big")
        return self.evm.storage(self.contract.address, slot).to_bytes(32, "big")


def refused(name, call):
    """Arguments of the error with which the contract refuses."""
    with pytest.raises(Reverted) as caught:
        call()
    assert caught.value.name == name, str(caught.value)
    return caught.value.arguments


def refused_everywhere(desk, feed, reports, name, **options):
    """The contract refuses with this error, the library refuses too, and nothing is stored."""
    before = desk.word(feed)
    arguments = refused(name, lambda: desk.push(feed, reports, **options))
    with pytest.raises(VerificationError):
        judge_round(VERIFY, feed, options.get("time_s", TIME_S), reports)
    assert desk.word(feed) == before
    return arguments
