"""TransferHeld events as an endpoint may serve them: whatever the data, a packet's name or BadAnswer."""

import pytest
import trio
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from hutong.adapters.evm.administration.held import MAX_EVENT_BYTES, TRANSFER_HELD_TOPIC, read_held
from hutong.adapters.ics26.events import Log
from hutong.adapters.interface import BadAnswer

TYPES = ["bool", "string", "uint64", "address", "address", "uint256", "uint64", "bytes"]
ACCOUNT = "0x" + "22" * 20
LONGEST = encode(TYPES, [True, "c" * 64, 2**64 - 1, ACCOUNT, ACCOUNT, 2**256 - 1, 2**64 - 1, bytes(896)])


class Endpoint:
    """Serves one event, and nothing else: a call would end the test."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    async def logs(self, address, first, last, topics):
        assert topics == [f"0x{TRANSFER_HELD_TOPIC.hex()}"]
        return (Log(address, (TRANSFER_HELD_TOPIC, bytes(32)), self.data, first, bytes(32), bytes(32), 0, False),)


@given(st.binary(max_size=400) | st.integers(0, len(LONGEST) - 1).map(lambda size: LONGEST[:size]))
def test_data_that_is_not_the_events_is_a_bad_answer(data):
    async def read() -> None:
        with pytest.raises(BadAnswer, match="is not of the event"):
            await read_held(Endpoint(data), bytes(20), range(1))

    trio.run(read)


def test_the_longest_event_fits_the_bound():
    assert len(LONGEST) <= MAX_EVENT_BYTES
