"""The newest blocks of a chain taken off again, as rows of one batch.

Tree nodes and EVM records of those blocks stay on disk: they are found by hash, and other versions may need them.
"""

from hutong.relay.evm.chain.block_store import prune_block
from hutong.relay.evm.store.database import KeyValueReader, KeyValueWriter, Table
from hutong.relay.hub.application.application import STATE_TABLE, HubApplication
from hutong.relay.hub.application.machine.evm_pruning import forget_evm_versions
from hutong.relay.hub.chain.block_records import VALIDATORS, prune_block_records, store_validators
from hutong.relay.hub.chain.ledger import HubLedger
from hutong.relay.hub.state import StateDamaged
from hutong.relay.hub.state.keys import EVM_STATE_ROOT_KEY
from hutong.relay.hub.state.versions import forget_versions


def take_off_state(batch: KeyValueWriter, store: KeyValueReader, application: HubApplication, target: int) -> None:
    """Delete all rows of the application at heights above `target` that are found by height, in `batch`.

    Raises:
        StateDamaged: the state at the newest height or at `target` has no EVM state root.
    """
    newest = application.info().last_block_height
    roots = [application.state.view_at(version).get(EVM_STATE_ROOT_KEY) for version in (newest, target)]
    if roots[0] is None or roots[1] is None:
        raise StateDamaged("the state has no EVM state root")
    forget_evm_versions(batch, store, newest, target, roots[0], roots[1])
    forget_versions(batch, Table(store, STATE_TABLE), STATE_TABLE, newest, target)
    for height in range(target + 1, newest + 1):
        prune_block(batch, application.blocks, height)


def take_off(batch: KeyValueWriter, store: KeyValueReader, ledger: HubLedger, target: int) -> None:
    """Delete all rows of the chain at heights above `target` that are found by height, in `batch`.

    `target` must be stored whole, its state too (`rollback` asks that). `ledger` must not be used after the batch.

    Raises:
        StateDamaged: the state has no EVM state root, or a validator set that acts next is missing.
    """
    take_off_state(batch, store, ledger.application, target)
    for height in range(target + 1, ledger.tip.height + 1):
        prune_block_records(batch, ledger.records, height)
        batch.delete(VALIDATORS + (height + 2).to_bytes(8, "big"))
    # A set is stored two heights before it acts.
    for height in (target + 1, target + 2):
        validators = ledger.records.validators(height)
        if validators is None:
            raise StateDamaged(f"no validators of height {height}")
        store_validators(batch, height, validators)
