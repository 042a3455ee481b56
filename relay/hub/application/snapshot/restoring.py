"""Restoring a snapshot: chunks in, database rows out, nothing believed that the trusted app hash does not cover.

Leaves are believed once the tree built from them has the trusted app hash, EVM nodes and codes one by one from the state root
in it, headers as `ancestry` says. Until `finish` has been written nothing in the rows is reachable.
"""

from collections.abc import Collection, Iterator

from light_clients.interface import NANOSECONDS_PER_SECOND, PredicateFailed
from light_clients.tendermint.types import Header
from relay.evm.block_store import ancestor_rows, restoration_rows
from relay.evm.blocks import EMPTY_LIST_ROOT, EvmBlock, EvmHeader
from relay.evm.state_traversal import StateTraversal
from relay.hub.application.application import COINBASE, EVM_TABLE, STATE_TABLE, evm_header
from relay.hub.application.genesis import Genesis
from relay.hub.application.snapshot.ancestry import Ancestry
from relay.hub.application.snapshot.format import Manifest, RecordKind, decode_leaf, records_of
from relay.hub.state import GENESIS_KEY
from relay.hub.state.keys import EVM_STATE_ROOT_KEY
from relay.hub.state.streamed_tree import LeavesOutOfOrder, StreamedTree
from relay.hub.state.tree import Leaf
from relay.hub.state.versions import node_row, value_row, version_rows
