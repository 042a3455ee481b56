"""A stock ibc-go chain of one or more validators: for tests that need a chain that never heard of hutong.

    with running_simd(tmp_path, {"relayer": secret}) as chain:
        chain.rpc, chain.ws, chain.chain_id, chain.accounts["relayer"].address

Everything here blocks: from trio, call it in `trio.to_thread.run_sync`. No faucet and no special message: accounts are in
genesis, everything later is a transaction of simd's own command line. Inflation is off, so the supply of each denom is constant.
"""

import hashlib
import json
import time
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.nodes.cosmos.simd_node import POLL_S, NodeFailed, SimdNode

CHAIN_ID = "simd-1"
# The fee and staking token, and one that nothing but transfers moves.
FEE_DENOM = "stake"
TOKEN_DENOM = "token"
FUNDS = {FEE_DENOM: 10**12, TOKEN_DENOM: 10**12}
GAS_PRICE = f"0.025{FEE_DENOM}"
VOTING_PERIOD_S = 10
"""Proposal and vote are two commands: on a machine that does much else they need seconds."""
POWER_REDUCTION = 10**6
# The account of x/gov's authority: sha256("gov")[:20] in bech32, the same on every chain with this prefix.
GOVERNANCE = "cosmos10d07y265gmmuvt4z0w9aw880jnsr700j6zn9kn"
OPERATORS = 3
TRANSACTION_TIMEOUT_S = 300


@dataclass(frozen=True, slots=True)
class Account:
    """A funded account; `name` is its key in simd's test keyring."""

    name: str
    secret: bytes
    address: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """A transaction in a block; `code` 0 is success."""

    height: int
    hash: str
    code: int
    log: str
    events: tuple[dict[str, Any], ...]

    def attribute(self, event: str, key: str) -> str:
        for candidate in self.events:
            if candidate["type"] == event:
                for attribute in candidate["attributes"]:
                    if attribute["key"] == key:
                        return attribute["value"]
        raise KeyError(f"no {event}.{key} in {[e['type'] for e in self.events]}")


class SimdChain:
    """A running chain. `nodes[0]` is the genesis validator, and its home has every account's key."""

    def __init__(
        self, folder: Path, chain_id: str, block_time_s: float, *, tx_index: bool, program: Path | None = None
    ) -> None:
        self.folder, self.chain_id, self.block_time_s, self.tx_index = folder, chain_id, block_time_s, tx_index
        self._program = program
        self.nodes = [SimdNode(folder / "validator-0", chain_id, "validator-0", program)]
        self.accounts: dict[str, Account] = {}

    @property
    def node(self) -> SimdNode:
        return self.nodes[0]

    @property
    def rpc(self) -> str:
        return self.node.rpc

    @property
    def ws(self) -> str:
        return self.node.ws

    def initialise(self, secrets: Mapping[str, bytes], *, power: int, unbonding_s: int) -> None:
        """Genesis with every account funded and one validator of `power`."""
        node = self.node
        node.initialise(block_time_s=self.block_time_s, gas_price=GAS_PRICE, tx_index=self.tx_index)
        operators = {f"operator-{i}": hashlib.sha256(f"operator {i}".encode()).digest() for i in range(OPERATORS)}
        for name, secret in {**operators, **secrets}.items():
            node.command("keys", "import-hex", name, secret.hex(), "--keyring-backend", "test")
        for key in json.loads(node.command("keys", "list", "--keyring-backend", "test", "--output", "json")):
            secret = secrets.get(key["name"]) or operators[key["name"]]
            self.accounts[key["name"]] = Account(key["name"], secret, key["address"])
        self._edit_genesis(unbonding_s)
        stake = f"{power * POWER_REDUCTION}{FEE_DENOM}"
        signing = ("--chain-id", self.chain_id, "--keyring-backend", "test")
        node.command("genesis", "gentx", "operator-0", stake, *signing)
        node.command("genesis", "collect-gentxs")
        node.command("genesis", "validate")

    def _edit_genesis(self, unbonding_s: int) -> None:
        genesis = json.loads(self.node.genesis.read_text())
        app = genesis["app_state"]
        coins = [{"denom": denom, "amount": str(amount)} for denom, amount in sorted(FUNDS.items())]
        for account in self.accounts.values():
            app["auth"]["accounts"].append({"@type": "/cosmos.auth.v1beta1.BaseAccount", "address": account.address})
            app["bank"]["balances"].append({"address": account.address, "coins": coins})
        app["staking"]["params"]["unbonding_time"] = f"{unbonding_s}s"
        app["mint"]["minter"]["inflation"] = "0.000000000000000000"
        for name in ("inflation_rate_change", "inflation_max", "inflation_min"):
            app["mint"]["params"][name] = "0.000000000000000000"
        governance = app["gov"]["params"]
        governance["voting_period"] = f"{VOTING_PERIOD_S}s"
        governance["expedited_voting_period"] = f"{VOTING_PERIOD_S - 1}s"
        governance["max_deposit_period"] = f"{VOTING_PERIOD_S}s"
        self.node.genesis.write_text(json.dumps(genesis, indent=1))

    def start(self) -> None:
        for node in self.nodes:
            node.start()

    def stop(self) -> None:
        for node in self.nodes:
            node.stop()

    def kill(self) -> None:
        """Every node at once."""
        for node in self.nodes:
            node.kill()

    def restart(self) -> None:
        """Start what was stopped or killed, and see it go on.

        The first new block carries the time of votes from before the stop (BFT time), the second one today's.
        """
        height = max((node.height() for node in self.nodes if node.running), default=0)
        for node in self.nodes:
            if not node.running:
                node.start(height + 1)
        self.wait_blocks(2)

    def height(self) -> int:
        return self.node.height()

    def wait_for_height(self, height: int) -> int:
        return self.node.wait_for_height(height)

    def wait_blocks(self, count: int = 1) -> int:
        return self.wait_for_height(self.height() + count)

    def validators(self, height: int | None = None) -> dict[str, int]:
        """Power by address, of the set that signs `height`."""
        params = {} if height is None else {"height": str(height)}
        found = self.node.request("validators", per_page="100", **params)["validators"]
        return {entry["address"]: int(entry["voting_power"]) for entry in found}

    def transact(self, sender: str, *command: str) -> Delivered:
        """Send `simd tx <command>` from a named account and wait for its block; refused or failed raises."""
        before = self.height()
        flags = ("--chain-id", self.chain_id, "--node", self.rpc.replace("http", "tcp"), "--keyring-backend", "test")
        fees = ("--gas", "auto", "--gas-adjustment", "1.5", "--gas-prices", GAS_PRICE)
        printed = self.node.command("tx", *command, "--from", sender, *flags, *fees, "--yes", "--output", "json")
        answer = json.loads(printed)
        if answer["code"]:
            raise NodeFailed(f"simd tx {' '.join(command)}: {answer['raw_log']}")
        delivered = self.find(answer["txhash"], before)
        if delivered.code:
            raise NodeFailed(f"simd tx {' '.join(command)}: {delivered.log}")
        return delivered

    def find(self, transaction_hash: str, from_height: int) -> Delivered:
        """Wait for a transaction by reading blocks: the index may be off."""
        deadline = time.monotonic() + TRANSACTION_TIMEOUT_S
        height = max(from_height, 1)
        while time.monotonic() < deadline:
            if height > self.height():
                time.sleep(POLL_S)
                continue
            block = self.node.request("block", height=str(height))["block"]
            for index, raw in enumerate(block["data"]["txs"]):
                if hashlib.sha256(b64decode(raw)).hexdigest().upper() == transaction_hash:
                    results = self.node.request("block_results", height=str(height))
                    result = results["txs_results"][index]
                    return Delivered(height, transaction_hash, result["code"], result["log"], tuple(result["events"]))
            height += 1
        raise NodeFailed(f"{transaction_hash} is in no block up to {height} after {TRANSACTION_TIMEOUT_S} s")

    def add_validator(self, power: int = 10) -> SimdNode:
        """A node with its own home joins, syncs, and stakes; returns when it is in the set that signs."""
        index = len(self.nodes)
        node = SimdNode(self.folder / f"validator-{index}", self.chain_id, f"validator-{index}", self._program)
        peers = [other.peer_address() for other in self.nodes]
        node.initialise(block_time_s=self.block_time_s, gas_price=GAS_PRICE, tx_index=self.tx_index, peers=peers)
        node.genesis.write_bytes(self.node.genesis.read_bytes())
        self.nodes.append(node)
        node.start(self.height())
        node.wait_until_synced()
        request = node.home / "validator.json"
        request.write_text(
            json.dumps(
                {
                    "pubkey": {"@type": "/cosmos.crypto.ed25519.PubKey", "key": node.validator_public_key()},
                    "amount": f"{power * POWER_REDUCTION}{FEE_DENOM}",
                    "moniker": node.moniker,
                    "commission-rate": "0.1",
                    "commission-max-rate": "0.2",
                    "commission-max-change-rate": "0.01",
                    "min-self-delegation": "1",
                }
            )
        )
        delivered = self.transact(f"operator-{index}", "staking", "create-validator", str(request))
        # an update of block h acts in h + 2
        self.wait_for_height(delivered.height + 2)
        if len(self.validators(delivered.height + 2)) != len(self.nodes):
            raise NodeFailed(f"{node.moniker} did not join: {self.validators()}")
        return node

    def pass_proposal(self, *messages: Mapping[str, Any]) -> None:
        """Propose, vote with the genesis validator, wait for the end; raises unless it passed and was executed."""
        proposal = self.folder / "proposal.json"
        body = {"messages": messages, "metadata": "", "deposit": f"10000000{FEE_DENOM}", "title": "t", "summary": "s"}
        proposal.write_text(json.dumps(body))
        submitted = self.transact("operator-0", "gov", "submit-proposal", str(proposal))
        number = submitted.attribute("submit_proposal", "proposal_id")
        voted = self.transact("operator-0", "gov", "vote", number, "yes")
        height = voted.height
        deadline = time.monotonic() + VOTING_PERIOD_S + TRANSACTION_TIMEOUT_S
        while time.monotonic() < deadline:
            self.wait_for_height(height)
            events = self.node.request("block_results", height=str(height))["finalize_block_events"] or ()
            for event in events:
                attributes = {entry["key"]: entry["value"] for entry in event["attributes"]}
                if event["type"] == "active_proposal" and attributes["proposal_id"] == number:
                    if attributes["proposal_result"] != "proposal_passed":
                        raise NodeFailed(f"proposal {number}: {attributes}")
                    return
            height += 1
        raise NodeFailed(f"proposal {number} has no result by {height}")

    def recover_client(self, subject: str, substitute: str) -> None:
        """By a passed proposal, the only way of stock code."""
        self.pass_proposal(
            {
                "@type": "/ibc.core.client.v1.MsgRecoverClient",
                "subject_client_id": subject,
                "substitute_client_id": substitute,
                "signer": GOVERNANCE,
            }
        )

    def client_status(self, client_id: str) -> str:
        """What stock code says: Active, Frozen, Expired or Unknown."""
        return _first_field(self.node.abci_query("/ibc.core.client.v1.Query/ClientStatus", _text(1, client_id)))

    def balance(self, address: str, denom: str) -> int:
        coin = self.node.abci_query("/cosmos.bank.v1beta1.Query/Balance", _text(1, address) + _text(2, denom))
        return _amount(coin)

    def supply(self, denom: str) -> int:
        return _amount(self.node.abci_query("/cosmos.bank.v1beta1.Query/SupplyOf", _text(1, denom)))


def _text(field: int, value: str) -> bytes:
    """A protobuf string field; the harness needs no more of protobuf, and denoms reach 128 characters at most."""
    raw = value.encode()
    if len(raw) > 127:
        return bytes([field << 3 | 2, len(raw) & 127 | 128, len(raw) >> 7]) + raw
    return bytes([field << 3 | 2, len(raw)]) + raw


def _fields(message: bytes) -> list[bytes]:
    found = []
    while message:
        size, start = message[1], 2
        if size > 127:
            size, start = (size & 127) | message[2] << 7, 3
        found.append(message[start : start + size])
        message = message[start + size :]
    return found


def _first_field(message: bytes) -> str:
    return _fields(message)[0].decode()


def _amount(response: bytes) -> int:
    return int(_fields(_fields(response)[0])[1])


@contextmanager
def running_simd(
    folder: Path,
    secrets: Mapping[str, bytes],
    *,
    chain_id: str = CHAIN_ID,
    block_time_s: float = 0.5,
    tx_index: bool = True,
    power: int = 100,
    unbonding_s: int = 21 * 86_400,
    program: Path | None = None,
) -> Iterator[SimdChain]:
    """A chain with a funded account for each secp256k1 secret, stopped at the end; `folder` keeps homes and logs.

    `program` is the node's command, by default simd on ibc-go v10.
    """
    chain = SimdChain(folder, chain_id, block_time_s, tx_index=tx_index, program=program)
    chain.initialise(secrets, power=power, unbonding_s=unbonding_s)
    try:
        chain.start()
        yield chain
    finally:
        chain.kill()
