"""Every defence can be missed: with it turned off, at least one test fails (`python -m tests.defences`)."""

from tests.defences.abci import ABCI
from tests.defences.audit import AUDIT
from tests.defences.bitcoin import BITCOIN
from tests.defences.consensus import CONSENSUS
from tests.defences.consensus_key import CONSENSUS_KEY
from tests.defences.contracts import CONTRACTS
from tests.defences.cosmos import COSMOS
from tests.defences.cosmos_transactions import COSMOS_TRANSACTIONS
from tests.defences.defence import Defence
from tests.defences.endpoints import ENDPOINTS
from tests.defences.evm import EVM
from tests.defences.fisco_bcos import FISCO_BCOS
from tests.defences.followed_chains import FOLLOWED_CHAINS
from tests.defences.governance import GOVERNANCE
from tests.defences.hub import HUB
from tests.defences.hub_rules import HUB_RULES
from tests.defences.joining import JOINING
from tests.defences.light_clients import LIGHT_CLIENTS
from tests.defences.network import NETWORK
from tests.defences.relay import RELAY
from tests.defences.roles import ROLES
from tests.defences.skips import SKIPS
from tests.defences.snapshots import SNAPSHOTS
from tests.defences.tokens import TOKENS
from tests.defences.transfer import TOKEN_CONTRACTS
from tests.defences.validators import VALIDATORS

DEFENCES: dict[str, tuple[Defence, ...]] = {
    "hub": HUB,
    "hub rules": HUB_RULES,
    "consensus": CONSENSUS,
    "consensus key": CONSENSUS_KEY,
    "validators": VALIDATORS,
    "network": NETWORK,
    "governance": GOVERNANCE,
    "abci": ABCI,
    "endpoints": ENDPOINTS,
    "evm": EVM,
    "followed chains": FOLLOWED_CHAINS,
    "skips": SKIPS,
    "snapshots": SNAPSHOTS,
    "joining": JOINING,
    "contracts": CONTRACTS,
    "roles": ROLES,
    "token contracts": TOKEN_CONTRACTS,
    "tokens": TOKENS,
    "light clients": LIGHT_CLIENTS,
    "fisco-bcos and rotation": FISCO_BCOS,
    "bitcoin": BITCOIN,
    "relay": RELAY,
    "cosmos": COSMOS,
    "cosmos transactions": COSMOS_TRANSACTIONS,
    "audit and attestor": AUDIT,
}

__all__ = ["DEFENCES", "Defence"]
