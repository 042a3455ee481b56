"""A Cosmos chain of the demo as its users see it: the node's REST and CometBFT RPC, nothing of the relay's adapter."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import httpx

from hutong.adapters.cosmos.transactions.addresses import encode_address
from hutong.light_clients.crypto.hashes import sha256
from hutong.light_clients.ibc.denom import Denom
from hutong.light_clients.ibc.transfer import TRANSFER_PORT

REQUEST_TIMEOUT_S = 20


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a transaction; the first value counts where a key is repeated."""

    kind: str
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction in a block; `code` 0 is success."""

    height: int
    code: int
    gas_used: int
    events: tuple[Event, ...]


@dataclass(frozen=True)
class CosmosChain:
    """`hub_client` is its client of the hub, `client_on_hub` the hub's client of it; `token` its own denomination."""

    name: str
    rpc_url: str
    rest_url: str
    prefix: str
    token: str
    hub_client: str
    client_on_hub: str

    @cached_property
    def _http(self) -> httpx.Client:
        return httpx.Client(timeout=REQUEST_TIMEOUT_S, trust_env=False)

    def close(self) -> None:
        """Close its connections; it is used no more. Call it once."""
        self._http.close()

    def rest(self, path: str, **query: str) -> Any:
        """GET of the node's REST, as wallets and explorers do; returns the JSON. Blocks.

        Raises:
            httpx.HTTPError: no answer within REQUEST_TIMEOUT_S, or another status than success.
        """
        response = self._http.get(f"{self.rest_url}{path}", params=query)
        response.raise_for_status()
        return response.json()

    def rpc(self, method: str, **query: str) -> Any:
        """One call of CometBFT's RPC by GET; returns its `result`. Blocks.

        Raises:
            httpx.HTTPError: no answer within REQUEST_TIMEOUT_S, or another status than success.
        """
        response = self._http.get(f"{self.rpc_url}/{method}", params=query)
        response.raise_for_status()
        return response.json()["result"]

    def head(self) -> int:
        """Height of the newest block that the node has."""
        return int(self.rpc("status")["sync_info"]["latest_block_height"])

    def time_s(self) -> int:
        """Time of the newest block, in whole seconds of Unix time."""
        text = str(self.rpc("status")["sync_info"]["latest_block_time"])
        return int(datetime.fromisoformat(f"{text[:19]}+00:00").timestamp())

    def client_status(self) -> str:
        """What its own 07-tendermint client says of the hub: Active, Frozen, Expired, Unknown."""
        return str(self.rest(f"/ibc/core/client/v1/client_status/{self.hub_client}")["status"])

    def sent(self) -> int:
        """How many packets were sent from here to the hub, settled ones included (IBC v2)."""
        answer = self.rest(f"/ibc/core/channel/v2/clients/{self.hub_client}/next_sequence_send")
        return int(answer["next_sequence_send"]) - 1

    def unsettled(self) -> int:
        """How many packets were sent from here and are neither acknowledged nor timed out: its commitments."""
        query = {"pagination.count_total": "true", "pagination.limit": "1"}
        answer = self.rest(f"/ibc/core/channel/v2/clients/{self.hub_client}/packet_commitments", **query)
        return int(answer["pagination"]["total"])

    def supply(self, denom: str) -> int:
        """The whole amount of a bank denomination; 0 for one that nobody has."""
        return int(self.rest("/cosmos/bank/v1beta1/supply/by_denom", denom=denom)["amount"]["amount"])

    def balance(self, address: str, denom: str) -> int:
        """What an account has of a bank denomination."""
        return int(self.rest(f"/cosmos/bank/v1beta1/balances/{address}/by_denom", denom=denom)["balance"]["amount"])

    def escrow_address(self) -> str:
        """The account that holds what was sent to the hub, in bech32 (ibc-go, transfer/types/keys.go)."""
        name = b"ics20-1\0" + f"{TRANSFER_PORT}/{self.hub_client}".encode()
        return encode_address(self.prefix, sha256(name)[:20])

    def total_escrow(self, denom: str) -> int:
        """What its transfer module keeps in its books as escrowed, over all clients."""
        return int(self.rest(f"/ibc/apps/transfer/v1/total_escrow/{denom}")["amount"]["amount"])

    def transactions(self) -> Iterator[Transaction]:
        """All of them, from the first block to the newest, failed ones included; one request a block."""
        for height in range(1, self.head() + 1):
            for result in self.rpc("block_results", height=str(height))["txs_results"] or ():
                yield _transaction(height, result)

    @property
    def token_on_hub(self) -> Denom:
        """What the hub calls the chain's own token: port and client of its end, then the denomination."""
        return Denom(self.token).prefixed(TRANSFER_PORT, self.client_on_hub)

    def voucher(self, on_hub: Denom) -> str:
        """Bank denomination here of a token of the hub: `ibc/` and a hash."""
        return on_hub.prefixed(TRANSFER_PORT, self.hub_client).local_name


def _transaction(height: int, result: Mapping[str, Any]) -> Transaction:
    return Transaction(
        height, int(result.get("code", 0)), int(result["gas_used"]), tuple(_events(result["events"] or ()))
    )


def _events(events: Sequence[Mapping[str, Any]]) -> Iterator[Event]:
    for event in events:
        attributes: dict[str, str] = {}
        for attribute in event["attributes"]:
            attributes.setdefault(attribute["key"], attribute.get("value") or "")
        yield Event(event["type"], attributes)
