"""Every defence can be missed: with it turned off, at least one test fails (`python -m tests.defences`)."""

from tests.defences.abci import ABCI
from tests.defences.acceptances import ACCEPTANCES
from tests.defences.anchors import ANCHORS
from tests.defences.audit import AUDIT
from tests.defences.bitcoin import BITCOIN
from tests.defences.case_evidence import CASE_EVIDENCE
from tests.defences.city import CITY
from tests.defences.consensus import CONSENSUS
from tests.defences.consensus_key import CONSENSUS_KEY
from tests.defences.contracts import CONTRACTS
from tests.defences.cosmos import COSMOS
from tests.defences.cosmos_transactions import COSMOS_TRANSACTIONS
from tests.defences.credential_cases import CREDENTIAL_CASES
from tests.defences.credentials import CREDENTIALS
from tests.defences.defence import Defence
from tests.defences.directory import DIRECTORY
from tests.defences.directory_connector import DIRECTORY_CONNECTOR
from tests.defences.directory_search import DIRECTORY_SEARCH
from tests.defences.endpoints import ENDPOINTS
from tests.defences.engines import ENGINES
from tests.defences.evm import EVM
from tests.defences.feed_cases import FEED_CASES
from tests.defences.feeds import FEEDS
from tests.defences.fisco_bcos import FISCO_BCOS
from tests.defences.followed_chains import FOLLOWED_CHAINS
from tests.defences.gm import GM_SUITE
from tests.defences.governance import GOVERNANCE
from tests.defences.hub import HUB
from tests.defences.hub_reader import HUB_READER
from tests.defences.hub_rules import HUB_RULES
from tests.defences.identity_dids import IDENTITY_DIDS
from tests.defences.identity_gates import IDENTITY_GATES
from tests.defences.identity_issuer import IDENTITY_ISSUER
from tests.defences.identity_lists import IDENTITY_LISTS
from tests.defences.identity_login import IDENTITY_LOGIN
from tests.defences.identity_openid4vp import IDENTITY_OPENID4VP
from tests.defences.identity_persons import IDENTITY_PERSONS
from tests.defences.identity_records import IDENTITY_RECORDS
from tests.defences.identity_verifier import IDENTITY_VERIFIER
from tests.defences.identity_wallet import IDENTITY_WALLET
from tests.defences.joining import JOINING
from tests.defences.keys import KEYS
from tests.defences.light_clients import LIGHT_CLIENTS
from tests.defences.lot_cases import LOT_CASES
from tests.defences.network import NETWORK
from tests.defences.observing import OBSERVING
from tests.defences.record_bundles import RECORD_BUNDLES
from tests.defences.records import RECORDS
from tests.defences.relay import RELAY
from tests.defences.roles import ROLES
from tests.defences.sealing import SEALING
from tests.defences.skips import SKIPS
from tests.defences.snapshots import SNAPSHOTS
from tests.defences.storage import STORAGE
from tests.defences.storage_cases import STORAGE_CASES
from tests.defences.storage_gateway import STORAGE_GATEWAY
from tests.defences.storage_module import STORAGE_MODULE
from tests.defences.storage_operator import STORAGE_OPERATOR
from tests.defences.storage_repairer import STORAGE_REPAIRER
from tests.defences.swap_case import SWAP_CASE
from tests.defences.swaps import SWAPS
from tests.defences.titles import TITLES
from tests.defences.tlog import TLOG
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
    "engines": ENGINES,
    "evm": EVM,
    "followed chains": FOLLOWED_CHAINS,
    "skips": SKIPS,
    "snapshots": SNAPSHOTS,
    "joining": JOINING,
    "contracts": CONTRACTS,
    "roles": ROLES,
    "token contracts": TOKEN_CONTRACTS,
    "titles": TITLES,
    "swaps": SWAPS,
    "feeds": FEEDS,
    "cases on feeds": FEED_CASES,
    "cases with storage": STORAGE_CASES,
    "cases with credentials": CREDENTIAL_CASES,
    "evidence of swaps": SWAP_CASE,
    "anchors": ANCHORS,
    "lot cases": LOT_CASES,
    "tokens": TOKENS,
    "keys elsewhere": KEYS,
    "sealing": SEALING,
    "light clients": LIGHT_CLIENTS,
    "records": RECORDS,
    "identity DIDs": IDENTITY_DIDS,
    "identity login": IDENTITY_LOGIN,
    "identity openid4vp": IDENTITY_OPENID4VP,
    "identity verifier": IDENTITY_VERIFIER,
    "identity records": IDENTITY_RECORDS,
    "persons": IDENTITY_PERSONS,
    "identity issuer": IDENTITY_ISSUER,
    "identity lists": IDENTITY_LISTS,
    "identity gates": IDENTITY_GATES,
    "identity wallet": IDENTITY_WALLET,
    "acceptances": ACCEPTANCES,
    "credentials": CREDENTIALS,
    "hub reader": HUB_READER,
    "fisco-bcos and rotation": FISCO_BCOS,
    "gm suite": GM_SUITE,
    "bitcoin": BITCOIN,
    "tlog": TLOG,
    "relay": RELAY,
    "observing": OBSERVING,
    "cosmos": COSMOS,
    "cosmos transactions": COSMOS_TRANSACTIONS,
    "audit and attestor": AUDIT,
    "record bundles": RECORD_BUNDLES,
    "case evidence": CASE_EVIDENCE,
    "city": CITY,
    "storage": STORAGE,
    "storage operators": STORAGE_OPERATOR,
    "storage gateways": STORAGE_GATEWAY,
    "storage module": STORAGE_MODULE,
    "directory": DIRECTORY,
    "directory connector": DIRECTORY_CONNECTOR,
    "directory search": DIRECTORY_SEARCH,
    "storage repairers": STORAGE_REPAIRER,
}

__all__ = ["DEFENCES", "Defence"]
