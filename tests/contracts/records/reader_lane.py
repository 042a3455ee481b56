"""A HubReader beside the lane's router, over real signed headers of a hub that writes observations."""

from dataclasses import dataclass, field

from hutong.adapters.evm.hub_reader import (
    ShownRecords,
    decode_answer,
    decode_answers,
    encode_keep,
    encode_read,
    encode_read_cached,
    encode_read_many,
)
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height
from hutong.light_clients.records import (
    PROVEN,
    ClientEpoch,
    Observation,
    ObservationKey,
    SlotPlace,
    encode_epoch,
    encode_observation,
    epoch_key,
)
from hutong.relay.hub.state.multiproof import prove_many
from tests.contracts.evm import INTRINSIC_GAS
from tests.contracts.lane import LOCAL_CLIENT, Lane
from tests.contracts.records.record_tree import tree_of

SOURCE = "bft-evm-7"
OTHER_SOURCE = "attestation-3"
MAX_AGE_S = 60
ACCOUNT = b"\x55" * 20
ROUTES = range(40)
"""Other keys of the hub's state, so that paths have several steps."""


def slot_key(number=1, client=SOURCE, account=ACCOUNT):
    return ObservationKey.of(client, SlotPlace(account, number.to_bytes(32, "big"))).to_bytes()


@dataclass
class ReaderLane:
    """The hub observes: what a test puts is in the next header. Time goes on by a second a block."""

    lane: Lane = field(default_factory=Lane)

    def __post_init__(self):
        self.lane.chain.state |= {b"other/%d" % number: b"\x01" for number in ROUTES}
        self.evm = self.lane.evm
        self.reader = self.evm.deploy("HubReader", self.lane.router.address, LOCAL_CLIENT)
        self.set_epoch(SOURCE)

    @property
    def now_s(self):
        return self.evm.timestamp_s

    def set_epoch(self, client=SOURCE, number=1, readable=True):
        self.lane.chain.put(epoch_key(client), encode_epoch(ClientEpoch(number, readable, 0)))

    def observed(self, value=(42).to_bytes(32, "big"), *, trust=PROVEN, epoch=1, age_s=0, height=(0, 9)):
        time_ns = self.lane.chain.latest.header.time_ns - age_s * NANOSECONDS_PER_SECOND
        return encode_observation(Observation(value, trust, epoch, Height(*height), time_ns))

    def publish(self, records=None):
        """Writes records (None deletes) and brings the client to the header that proves them; its height."""
        for key, value in (records or {}).items():
            if value is None:
                self.lane.chain.state.pop(key, None)
            else:
                self.lane.chain.put(key, value)
        return self.lane.publish({})

    def shown(self, keys, height, epochs=(SOURCE,)):
        """The records under the root at a height, with the epochs of these clients."""
        tree, root = tree_of(self.lane.chain.states[height - 1])
        assert root == self.lane.chain.block(height).header.app_hash
        claims = prove_many(tree, root, [*keys, *(epoch_key(client) for client in epochs)])
        return ShownRecords.of(self.lane.chain.height(height), *claims)

    def show(self, records, epochs=(SOURCE,)):
        """Publishes records and shows them."""
        return self.shown(records, self.publish(records), epochs)

    def call(self, data, *, keep=False):
        return self.evm.send(self.reader.address, data, keep=keep).output

    def read(self, shown, max_age_s=MAX_AGE_S, min_trust=0):
        return decode_answer(self.call(encode_read(shown, max_age_s, min_trust)))

    def read_many(self, shown, max_age_s=MAX_AGE_S, min_trust=0):
        return decode_answers(self.call(encode_read_many(shown, max_age_s, min_trust)))

    def keep(self, shown):
        self.call(encode_keep(shown), keep=True)

    def cached(self, *keys, max_age_s=MAX_AGE_S, min_trust=0):
        return decode_answers(self.call(encode_read_cached(keys, max_age_s, min_trust)))

    def gas(self, data):
        """What a transaction with this calldata costs."""
        computation = self.evm.send(self.reader.address, data, keep=False)
        return computation.msg.gas - computation.get_gas_remaining() + intrinsic_gas(data)


def intrinsic_gas(data):
    """Of a transaction with this calldata."""
    return INTRINSIC_GAS + sum(16 if byte else 4 for byte in data)
