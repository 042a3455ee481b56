"""From the end of one revision to the genesis of the next: the same file for every member, made from its own database."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hutong.relay.base.durable_files import write_durably
from hutong.relay.evm.store.lmdb_store import StoreFull
from hutong.relay.hub.application.constitution import Constitution
from hutong.relay.hub.application.genesis import (
    Genesis,
    GenesisValidator,
    decode_genesis,
    encode_genesis,
    runtime_rules,
)
from hutong.relay.hub.application.governance.members import Operator
from hutong.relay.hub.application.revision.revision import Continuation, next_chain_id
from hutong.relay.hub.application.validators import canonical_order, read_powers
from hutong.relay.hub.chain.ledger import ChainDamaged, HubLedger
from hutong.relay.hub.home.home import GENESIS_FILE, UnusableHome, load_genesis
from hutong.relay.hub.home.process import NodeRefused, open_store, refusal_at_open
from hutong.relay.hub.state import StateDamaged, keys

FIRST_TIME_AFTER_NS = 1_000_000
"""Of the last block: no clock is asked, so that all members write the same time."""


@dataclass(frozen=True, slots=True)
class NextRevision:
    """What `restart` wrote."""

    genesis: Genesis
    previous_file: Path

    def as_dict(self) -> dict[str, Any]:
        """The fields that `--json` prints."""
        return {
            "chain_id": self.genesis.chain_id,
            "first_height": self.genesis.base_height + 1,
            "digest": self.genesis.digest.hex(),
            "previous_genesis": str(self.previous_file),
        }


def next_genesis(ledger: HubLedger) -> Genesis:
    """The document of the revision after the one that has ended here. It is the same for every member, byte for byte.

    Raises:
        NodeRefused: the revision has no decided end, or this node has not reached it.
    """
    genesis, tip = ledger.genesis, ledger.tip
    end = ledger.application.coming.last_height()
    if end is None:
        raise NodeRefused(f"{genesis.chain_id} goes on: its end was not decided (hutong hub propose end)")
    if tip.height != end:
        raise NodeRefused(
            f"{genesis.chain_id} ends at block {end}, this node has {tip.height}: let it reach the end first"
        )
    view = ledger.application.view()[0]
    powers = read_powers(view, {validator.public_key.data: validator.power for validator in genesis.validators})
    rules_version = ledger.application.coming.rules_version(end + 1)
    constitution = genesis.constitution
    if constitution is not None:
        operators = [(key, Operator.decode(view.get(keys.operator_key(key)) or b"").account) for key in sorted(powers)]
        constitution = Constitution(tuple(operators), constitution.voting_period_s)
    made = replace(
        genesis,
        chain_id=next_chain_id(genesis.chain_id),
        genesis_time_ns=tip.time_ns + FIRST_TIME_AFTER_NS,
        validators=tuple(GenesisValidator(key, power) for key, power in canonical_order(powers)),
        rules_version=rules_version,
        runtime=runtime_rules(rules_version, genesis.runtime.chosen),
        constitution=constitution,
        continues=Continuation(genesis.chain_id, end, tip.block_id.hash, tip.app_hash, genesis.origin),
    )
    return decode_genesis(encode_genesis(made))


def restart(home: Path) -> NextRevision:
    """Put the next revision's genesis into a home whose node has halted; the old file is kept beside it.

    Raises:
        NodeRefused: a node runs here, the revision has not ended, or the home cannot be read or written.
    """
    try:
        genesis = load_genesis(home)
        if (home / "cometbft").is_dir():
            raise NodeRefused("not supported: restart of a hub under CometBFT")
        store = open_store(home)
    except UnusableHome as error:
        raise NodeRefused(str(error)) from error
    try:
        made = next_genesis(HubLedger(store, genesis))
    except (ChainDamaged, StateDamaged, StoreFull) as error:
        raise refusal_at_open(home, error) from error
    finally:
        store.close()
    previous = home / f"genesis.{genesis.chain_id}.json"
    try:
        write_durably(previous, encode_genesis(genesis), mode=0o644)
        write_durably(home / GENESIS_FILE, encode_genesis(made), mode=0o644)
    except OSError as error:
        raise NodeRefused(f"{home}: {error.strerror or error}") from None
    return NextRevision(made, previous)
