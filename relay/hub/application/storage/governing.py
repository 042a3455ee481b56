"""The parameters of storage where genesis gives them as a table, and where a running hub takes the module up."""

from typing import Any

from hutong.light_clients.interface.document import Document
from hutong.relay.hub.application.clients import Store
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.services.storage.rules.audits.probes import MAX_PROBES
from hutong.relay.services.storage.rules.packs.shape import MAX_PACK_SHARDS
from hutong.relay.services.storage.rules.records import keys
from hutong.relay.services.storage.rules.records.parameters import (
    DEFAULTS,
    MAX_CUT_BLOCKS,
    MAX_EPOCH_S,
    MAX_FULL_EVERY,
    MAX_WINDOW_S,
    MIN_EPOCH_S,
    Parameters,
    encode_parameters,
)

MAX_TABLE_PRICE = 2**53 - 1
"""Of genesis, whose numbers every reader of JSON reads alike; governance may set more."""
BOUNDS = {
    "epoch_s": (MIN_EPOCH_S, MAX_EPOCH_S),
    "cut_blocks": (1, MAX_CUT_BLOCKS),
    "reveal_s": (1, MAX_WINDOW_S),
    "deadline_s": (1, MAX_WINDOW_S),
    "probes": (1, MAX_PROBES),
    "full_probes": (1, MAX_PROBES),
    "full_every": (1, MAX_FULL_EVERY),
    "data": (1, MAX_PACK_SHARDS),
    "parity": (1, MAX_PACK_SHARDS),
    "price": (0, MAX_TABLE_PRICE),
}


def take_up_storage(store: Store, rules_version: int, said: Parameters | None) -> None:
    """Write the parameters where the rules have them and the state does not: those of genesis, or the defaults."""
    if rules_version >= rules_versions.STORAGE and store.get(keys.PARAMETERS_KEY) is None:
        store.set(keys.PARAMETERS_KEY, encode_parameters(said or DEFAULTS))


def read_table(document: Document) -> Parameters:
    """The genesis table `storage`.

    Raises:
        MalformedInput: a member is missing, unknown or out of its bounds.
    """
    with document.members() as fields:
        return Parameters(**{name: fields[name].integer(*bounds) for name, bounds in BOUNDS.items()})


def write_table(parameters: Parameters) -> dict[str, Any]:
    """Inverse of `read_table`, as JSON values."""
    return {name: getattr(parameters, name) for name in BOUNDS}
