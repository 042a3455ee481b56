"""Keys of the hub's state (docs/spec/hub-state.md). Frozen: clients prove the IBC keys, later releases own the reserved ones.

IBC keys (`client ‖ kind ‖ BE8(sequence)`) come from `hutong.light_clients.ibc.commitment`. Everything else is `<area>/…`.
A client identifier has no `/`, and the byte after it in an IBC key is 1, 2 or 3, so the two families never meet.
"""

from hutong.light_clients.interface import Height
from hutong.light_clients.tendermint.skip_certificate import certificate_state_key

GENESIS_KEY = b"hub/genesis"
"""Written once and never removed, so that absence always has a neighbour to be proven by."""
EVM_STATE_ROOT_KEY = b"evm/stateRoot"
BASE_FEE_KEY = b"evm/baseFee"
"""Wei in 32 big-endian bytes: of the next block's gas. Absent until it first leaves that of genesis."""
PAUSED_KEY = b"admin/paused"
CODE_OPEN_KEY = b"code/open"
"""One byte, from rules version 3 on: 1 where everybody may run code, 0 where named accounts and contracts may."""
DEPLOYER_PREFIX = b"code/deployer/"
NAMED_CONTRACT_PREFIX = b"code/contract/"

RESERVED_PREFIXES = (b"stuck/",)
"""Nothing is written under these in this version."""

MAX_KEY_BYTES = 200
"""The longest key in use has 107 bytes; escaped and with its version it stays below the database's 511."""
MAX_VALUE_BYTES = 512 * 1024


def deployer_key(account: bytes) -> bytes:
    """Present where the account may create contracts; a 20-byte address."""
    return DEPLOYER_PREFIX + account


def named_contract_key(contract: bytes) -> bytes:
    """Holds the deployer that created the contract, or zeros where it was named by a decision."""
    return NAMED_CONTRACT_PREFIX + contract


def client_state_key(client_id: str) -> bytes:
    """Holds the encoded client state."""
    return f"clients/{client_id}/state".encode()


def counterparty_key(client_id: str) -> bytes:
    """Holds `abi.encode(string clientId, bytes[] merklePrefix)` of the client at the other end."""
    return f"clients/{client_id}/counterparty".encode()


def consensus_prefix(client_id: str, generation: int = 0) -> bytes:
    """Before all keys of a client's consensus states since its last recovery.

    `generation` counts recoveries by rules version 3 and later.
    """
    part = "consensus" if generation == 0 else f"consensus.{generation}"
    return f"clients/{client_id}/{part}/".encode()


def consensus_key(client_id: str, height: Height, generation: int = 0) -> bytes:
    """Holds an encoded consensus state. Height in 16 big-endian bytes, so that key order is height order."""
    return consensus_prefix(client_id, generation) + height.to_key()


def consensus_metadata_key(client_id: str, height: Height) -> bytes:
    """Holds when the hub processed the update: BE8(block time ns) ‖ BE8(hub height)."""
    return f"clients/{client_id}/processed/".encode() + height.to_key()


def consensus_floor_key(client_id: str) -> bytes:
    """Holds the height, in 16 bytes, below which the client's consensus states are dead.

    Absent before its first recovery. BE8(generation) follows since rules version 3.
    """
    return f"clients/{client_id}/floor".encode()


def next_client_key(client_type: str) -> bytes:
    """Holds BE8 of the number that the next client of this type gets; absent before the first."""
    return f"clients/{client_type}/next".encode()


def next_sequence_key(client_id: str) -> bytes:
    """Holds BE8 of the sequence of the next packet over the client; absent before the first, which has 1."""
    return f"router/{client_id}/nextSequence".encode()


def forward_prefix(client_id: str) -> bytes:
    """Before pending forwards (prefix ‖ 8 bytes) and failure reasons (prefix ‖ 8 bytes ‖ `/reason`)."""
    return f"forward/{client_id}/".encode()


def forward_key(next_client: str, sequence: int) -> bytes:
    """Holds the pending forward whose leg 2 is (`next_client`, `sequence`)."""
    return forward_prefix(next_client) + sequence.to_bytes(8, "big")


def forward_reason_key(arriving_client: str, sequence: int) -> bytes:
    """Holds why leg 1 (`arriving_client`, `sequence`) failed, as UTF-8 that may be cut."""
    return forward_prefix(arriving_client) + sequence.to_bytes(8, "big") + b"/reason"


def quota_limit_key(client_id: str) -> bytes:
    """Holds what may be in flight over the client, BE8 of packets and of bytes; absent where it is the default."""
    return f"quota/{client_id}/limit".encode()


def quota_in_flight_key(client_id: str) -> bytes:
    """Holds what is in flight over the client, BE8 of packets and of bytes; since rules version 3 without redemptions.

    A row for each origin follows since then.
    """
    return f"quota/{client_id}/inFlight".encode()


def quota_redemptions_key(client_id: str) -> bytes:
    """Holds, from rules version 3 on, what is in flight of tokens on their way home to this client's chain."""
    return f"quota/{client_id}/redemptions".encode()


def quota_denom_key(client_id: str, denom_hash: bytes) -> bytes:
    """Holds what of that is of one denomination, by its 32-byte hash."""
    return f"quota/{client_id}/redemptions/".encode() + denom_hash


TRANSFER_DENOM_PREFIX = b"transfer/denom/"


def transfer_denom_key(denom_hash: bytes) -> bytes:
    """Holds the path of a denomination that the hub has minted, by its 32-byte hash."""
    return TRANSFER_DENOM_PREFIX + denom_hash


def transfer_supply_key(denom_hash: bytes) -> bytes:
    """Holds what the hub has minted and not burnt of a denomination, in 32 big-endian bytes; absent for nothing."""
    return b"transfer/supply/" + denom_hash


def transfer_balance_key(denom_hash: bytes, account: bytes) -> bytes:
    """Holds what an account has of a denomination, in 32 big-endian bytes; absent for nothing.

    Hash and account are of fixed length, so that no two pairs share a key.
    """
    return b"transfer/balance/" + denom_hash + account


def transfer_escrow_key(client_id: str, denom_hash: bytes) -> bytes:
    """Holds what a client's escrow has of a denomination. An identifier has no `/`, and the hash has a fixed length."""
    return f"transfer/escrow/{client_id}/".encode() + denom_hash


def transfer_homeward_key(denom_hash: bytes) -> bytes:
    """Holds what of a denomination is on its way home and not settled, in 32 big-endian bytes; absent for nothing."""
    return b"transfer/homeward/" + denom_hash


def admin_action_key(action_hash: bytes) -> bytes:
    """Holds who approved the action with this 32-byte hash, and whether it has run."""
    return b"admin/" + action_hash


VALIDATOR_POWER_PREFIX = b"validators/power/"
"""Nothing is under it until the set of genesis is first changed; then the whole set is."""


def validator_power_key(public_key: bytes) -> bytes:
    """Holds BE8(power) of the validator with this compressed key of 33 bytes."""
    return VALIDATOR_POWER_PREFIX + public_key


OPERATOR_PREFIX = b"governance/operator/"
"""Only where the validators govern: of each validator in the set, from genesis on."""


def operator_key(public_key: bytes) -> bytes:
    """Holds the operator's record of the validator with this compressed key."""
    return OPERATOR_PREFIX + public_key


def operator_account_key(account: bytes) -> bytes:
    """Holds the consensus key that this 20-byte account speaks for."""
    return b"governance/account/" + account


def used_key_key(public_key: bytes) -> bytes:
    """Holds the account that a consensus key was first of: no key is admitted twice."""
    return b"governance/used/" + public_key


NEXT_PROPOSAL_KEY = b"governance/next"
HALT_KEY = b"governance/halt"
"""BE8 of the height of this revision's last block."""


def proposal_key(number: int) -> bytes:
    """Holds proposal `number`, written once."""
    return b"governance/proposal/" + number.to_bytes(8, "big")


def proposal_result_key(number: int) -> bytes:
    """Holds the last attempt to execute proposal `number`; absent before the first."""
    return b"governance/result/" + number.to_bytes(8, "big")


def vote_prefix(number: int) -> bytes:
    """Before all votes on proposal `number`."""
    return b"governance/vote/" + number.to_bytes(8, "big") + b"/"


def vote_key(number: int, public_key: bytes) -> bytes:
    """Holds the last vote on proposal `number` under this compressed key."""
    return vote_prefix(number) + public_key


def parameter_key(name: str) -> bytes:
    """Holds BE8 of a parameter that a decision has set; absent where that of genesis holds."""
    return f"governance/parameter/{name}".encode()


RULES_PREFIX = b"upgrade/rules/"


def rules_key(height: int) -> bytes:
    """Holds BE4 of the rules version from this block on."""
    return RULES_PREFIX + height.to_bytes(8, "big")


def upgraded_key(last_height: int, item: str) -> bytes:
    """Holds what clients of the hub prove to follow it into its next revision (ICS-07, upgrade path `upgrade`)."""
    return f"upgrade/{last_height}/{item}".encode()


EVIDENCE_PREFIX = b"evidence/"
"""Holds a row of each validator that signed two votes at a height, in order of heights."""


def evidence_key(height: int, address: bytes) -> bytes:
    """Holds a record of a double vote. Height in 8 big-endian bytes, then the address of 20."""
    return EVIDENCE_PREFIX + height.to_bytes(8, "big") + address


SKIP_PENDING_KEY = b"skip/pending"
"""While the newest block is one that counts as empty by certificate: the statement."""


def skip_certificate_key(height: int) -> bytes:
    """Holds the certificate by which the block of this height counts as empty, once the next block has brought it."""
    return certificate_state_key(height)


OBSERVED_CLIENT_PREFIX = b"observation/client/"
"""Holds the epoch of each client that was ever observed; identifiers follow (`hutong.light_clients.records`)."""
OBSERVATIONS_OPEN_KEY = b"observation/open"
"""Present where everybody opens keys of observations, from rules version 4 on."""
OBSERVATION_WRITER_PREFIX = b"observation/writer/"
OBSERVATION_COUNT_PREFIX = b"observation/count/"


def observation_writer_key(account: bytes) -> bytes:
    """Holds BE8 of how many keys a named writer may have open; a 20-byte address."""
    return OBSERVATION_WRITER_PREFIX + account


def observation_opened_key(key_hash: bytes) -> bytes:
    """Holds the 20-byte account that opened the key with this SHA-256."""
    return b"observation/opened/" + key_hash


def observation_count_key(account: bytes) -> bytes:
    """Holds BE8 of how many keys an account has open; absent for none."""
    return OBSERVATION_COUNT_PREFIX + account


def path_key(hashed_path: bytes) -> bytes:
    """Holds the ICS-24 key with this Keccak-256, for `getCommitment`."""
    return b"router/path/" + hashed_path
