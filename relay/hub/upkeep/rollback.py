"""Taking the newest blocks off a stopped node's chain, in one write: to apply them again, from members."""

from dataclasses import replace
from pathlib import Path

from hutong.relay.base.durable_files import write_durably
from hutong.relay.evm.store.lmdb_store import StoreFull
from hutong.relay.evm.vm.stack import run_with_evm_stack
from hutong.relay.hub.chain.ledger import ChainDamaged, HubLedger
from hutong.relay.hub.chain.taking_off import take_off
from hutong.relay.hub.engine.signing_record import floor_record, newest_own_signature
from hutong.relay.hub.engine.wal import WAL_FILE
from hutong.relay.hub.home.home import LAST_SIGNED_FILE, PROPOSAL_FILE, VALIDATOR_KEY_FILE, load_genesis
from hutong.relay.hub.home.key_file import read_key_file
from hutong.relay.hub.home.last_signed import encode_last_signed, load_record
from hutong.relay.hub.home.process import NodeRefused, open_store
from hutong.relay.hub.joining.state_sync import restoration_is_unfinished
from hutong.relay.hub.state import StateDamaged


class RollbackRefused(Exception):
    """The chain was not changed: one sentence."""


def roll_back(home: Path, blocks: int, sign_above: int | None) -> int:
    """Take the newest `blocks` off the chain of a stopped node, in one batch; the height that the chain ends at now.

    Args:
        sign_above: the key signs above this height only; None where the key signed nothing above the new end.

    Raises:
        RollbackRefused: blocks that are not stored whole, the key could sign a second time, or the disk takes nothing
            more; the chain is unchanged.
        NodeRefused: a node runs here, or a restoration is unfinished.
        UnusableHome: genesis, key or record cannot be used.
    """
    genesis = load_genesis(home)
    if (home / "cometbft").is_dir():
        raise RollbackRefused(f"{home} is of a hub under CometBFT: `cometbft rollback` is its tool")
    own_address = read_key_file(home / VALIDATOR_KEY_FILE).public_key.address
    store = open_store(home)
    try:
        # Under the lock: the node may have signed until it ended.
        record = load_record(home)
        if restoration_is_unfinished(store):
            raise NodeRefused(f"{home}: a snapshot is half restored here; run `hutong hub join` again")
        ledger = run_with_evm_stack(lambda: HubLedger(store, genesis))
        height = ledger.tip.height
        target = height - blocks
        least = _least(ledger)
        if target < least:
            raise RollbackRefused(f"the chain on disk reaches from {least} to {height}: {blocks} blocks cannot go")
        # An old record is shown up by the commits on disk, some of which are about to go.
        own = newest_own_signature(ledger.records, own_address, record.height)
        signed = record.height if own is None else own
        if sign_above is None and signed > target:
            raise RollbackRefused(
                f"this key signed height {signed} and the chain would end at {target}: it would sign a second block. Give"
                f" --sign-above {signed} or more, and have members to catch up from, or take off fewer blocks"
            )
        if sign_above is not None:
            if sign_above < signed:
                raise RollbackRefused(f"--sign-above {sign_above}: this key signed height {signed}")
            # First, so that a crash in between leaves a record that says too much and never too little.
            write_durably(
                home / LAST_SIGNED_FILE, encode_last_signed(replace(floor_record(sign_above), skip=record.skip))
            )
            (home / PROPOSAL_FILE).unlink(missing_ok=True)
        # Nothing that it tells of a height would be true of the next one there.
        (home / WAL_FILE).unlink(missing_ok=True)
        with store.batch() as batch:
            take_off(batch, store, ledger, target)
        run_with_evm_stack(lambda: HubLedger(store, genesis))
    except (ChainDamaged, StateDamaged, StoreFull) as error:
        raise RollbackRefused(str(error)) from error
    except OSError as error:
        raise RollbackRefused(f"{error.filename or home}: {error.strerror or error}") from error
    finally:
        store.close()
    return target


def _least(ledger: HubLedger) -> int:
    """The lowest height that the node can end at: its whole block and its state are there."""
    first = ledger.records.first_body()
    return max(ledger.application.oldest_state(), first if first > 1 else 0, ledger.genesis.base_height)
