"""Accounts whose relaying this node has seen to be of use, and named writers of records, so that strangers' transactions do
not keep them out.

It is this node's own memory and no rule: it decides what its pool holds and what it proposes first. Nobody needs it: an
account that is not known is served as strangers are, and known after its first useful block.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from threading import Lock

from eth_abi.abi import decode

from hutong.relay.evm.chain.block_store import BlockStore
from hutong.relay.evm.chain.mempool import DEFAULT_LIFETIME_S, Mempool
from hutong.relay.evm.chain.pool_lanes import PoolLanes
from hutong.relay.evm.vm.native import Address
from hutong.relay.evm.vm.outcomes import Log
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.application import HubApplication, OutOfOrder
from hutong.relay.hub.application.clients import UpdateResult
from hutong.relay.hub.application.genesis import Genesis
from hutong.relay.hub.application.named_code import LAST_RESERVED_ADDRESS
from hutong.relay.hub.state.keys import observation_writer_key

KNOWN_BLOCKS = 100_000
"""A day of blocks: whoever relayed nothing for so long is a stranger again."""
MOST_KNOWN = 1_024
SCANNED_AT_START = 512

_USEFUL = frozenset(
    event.topic
    for event in (
        abi.WRITE_ACKNOWLEDGEMENT_EVENT,
        abi.ACK_PACKET_EVENT,
        abi.TIMEOUT_PACKET_EVENT,
        abi.SEND_PACKET_EVENT,
        abi.CLIENT_UPGRADED_EVENT,
        abi.MISBEHAVIOUR_EVENT,
    )
)
"""What a native module says of work that was new; of packets that were done before it says `Noop`."""


def governors(genesis: Genesis) -> tuple[Address, ...]:
    """Accounts that govern: the admins, or the operators of the genesis's validators.

    Later changes of either are not seen.
    """
    admins = () if genesis.admins is None else genesis.admins.addresses
    operators = () if genesis.constitution is None else genesis.constitution.operators
    return (*admins, *(account for _, account in operators))


def is_writer(application: HubApplication) -> Callable[[Address], bool]:
    """Whether an account is a named writer of observations in the newest state; any thread may ask."""

    def found(account: Address) -> bool:
        try:
            view, _, _ = application.view()
        except OutOfOrder:  # before the first block nobody writes
            return False
        return view.get(observation_writer_key(account)) is not None

    return found


def pool_of(genesis: Genesis, relays: "KnownRelays", lifetime_s: float = DEFAULT_LIFETIME_S) -> Mempool:
    """The node's pool.

    Where gas is free it has lanes, so that known relays are not kept out; `lifetime_s` is of a transaction.
    """
    return Mempool(lifetime_s=lifetime_s, lanes=PoolLanes(relays.knows) if genesis.fees is None else None)


class KnownRelays:
    """Thread safe. `named` are known for ever: the operator's choice, and accounts that govern. Writers are, while they are
    named: what they write is evidence of other chains, and on a hub without fees anybody fills blocks.
    """

    def __init__(
        self, blocks: BlockStore, named: Iterable[Address] = (), writes: Callable[[Address], bool] = lambda _: False
    ) -> None:
        self._blocks = blocks
        self._writes = writes
        self._named = frozenset(named)
        self._useful: OrderedDict[Address, int] = OrderedDict()
        """The height of each account's last useful transaction, the latest last."""
        self._lock = Lock()
        head = blocks.head_number() or 0
        for height in range(max(blocks.first_number(), head - SCANNED_AT_START + 1), head + 1):
            self.learn(height)

    def knows(self, account: Address) -> bool:
        """Whether the account is named, a named writer now, or one of the MOST_KNOWN that were of use latest.

        Use counts for KNOWN_BLOCKS blocks. Any thread may ask.
        """
        return account in self._named or account in self._useful or self._writes(account)

    def learn(self, height: int) -> None:
        """Remember who sent something useful in block `height`, and forget who was not of use for KNOWN_BLOCKS.

        Called after the block is stored, in order of heights. A block that is not stored changes nothing.
        """
        block, receipts = self._blocks.block(height), self._blocks.receipts(height)
        if block is None or receipts is None:
            return
        with self._lock:
            for transaction, receipt in zip(block.transactions, receipts, strict=True):
                if any(map(_is_useful, receipt.logs)):
                    self._useful[transaction.sender] = height
                    self._useful.move_to_end(transaction.sender)
            while self._useful:
                oldest = next(iter(self._useful))
                if len(self._useful) <= MOST_KNOWN and self._useful[oldest] > height - KNOWN_BLOCKS:
                    return
                del self._useful[oldest]


def _is_useful(log: Log) -> bool:
    """A contract may emit the same topics as a native module, which counts for nothing."""
    if not log.topics or int.from_bytes(log.address, "big") > LAST_RESERVED_ADDRESS:
        return False
    if log.topics[0] == abi.CLIENT_UPDATED_EVENT.topic:
        _, result = decode(abi.CLIENT_UPDATED_EVENT.data_types, log.data)
        return bool(result != UpdateResult.NO_OP)
    return log.topics[0] in _USEFUL
