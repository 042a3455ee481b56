"""How a Cosmos SDK chain proves its ibc store: an IAVL tree whose root is a leaf of the multistore's tree."""

from hutong.adapters.cometbft import ProofFormat
from hutong.light_clients.proofs.ics23.specs import IAVL_SPEC, TENDERMINT_SPEC

PROOF_SPECS = (IAVL_SPEC, TENDERMINT_SPEC)
UPGRADE_PATH = ("upgrade", "upgradedIBCState")
"""ibc-go 02-client: where x/upgrade of the SDK commits to a client's next state."""
MERKLE_PREFIX = (b"ibc", b"")
PROOF_FORMAT = ProofFormat(PROOF_SPECS, MERKLE_PREFIX[:-1], "/store/ibc/key", names_header=False)
UPGRADE_FORMAT = ProofFormat(PROOF_SPECS, (UPGRADE_PATH[0].encode(),), "/store/upgrade/key", names_header=False)
