"""How a Cosmos SDK chain proves its ibc store: an IAVL tree whose root is a leaf of the multistore's tree."""

import re

from hutong.adapters.cometbft import ProofFormat
from hutong.adapters.interface import NotSupported
from hutong.light_clients.proofs.ics23.specs import IAVL_SPEC, TENDERMINT_SPEC

PROOF_SPECS = (IAVL_SPEC, TENDERMINT_SPEC)
UPGRADE_PATH = ("upgrade", "upgradedIBCState")
"""ibc-go 02-client: where x/upgrade of the SDK commits to a client's next state."""
MERKLE_PREFIX = (b"ibc", b"")
PROOF_FORMAT = ProofFormat(PROOF_SPECS, MERKLE_PREFIX[:-1], "/store/ibc/key", names_header=False)
UPGRADE_FORMAT = ProofFormat(PROOF_SPECS, (UPGRADE_PATH[0].encode(),), "/store/upgrade/key", names_header=False)
_STORE_NAME = re.compile(rb"[A-Za-z0-9_.:-]{1,64}")


def store_format(store: bytes) -> ProofFormat:
    """How keys of the module store of that name are asked for and proven.

    Raises:
        NotSupported: not a name that a store key of the SDK can have in a query's path.
    """
    if _STORE_NAME.fullmatch(store) is None:
        raise NotSupported(f"a store named {store[:64]!r} of a Cosmos chain")
    return ProofFormat(PROOF_SPECS, (store,), f"/store/{store.decode()}/key", names_header=False)
