"""A token of a Cosmos chain, as its bank module keeps what exists of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import httpx

from hutong.relay.cases.operator import ObservedKey

STORE, SUPPLY_PREFIX = "bank", b"\0"
REQUEST_TIMEOUT_S = 30


@dataclass(frozen=True)
class CosmosToken:
    """`rest_url` is the Cosmos SDK's; `hub_client` the hub's client of the chain."""

    chain: str
    rest_url: str
    hub_client: str
    denom: str
    store: str = STORE

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> "CosmosToken":
        """Of a chain in `city.json`."""
        return cls(said["name"], said["rest_url"], said["hub_client"], said["token_denom"])

    @property
    def supply_key(self) -> bytes:
        """Where the store keeps how much exists."""
        return SUPPLY_PREFIX + self.denom.encode()

    @property
    def record_key(self) -> bytes:
        """Of the hub's record of that (docs/spec/records.md)."""
        place = bytes([len(STORE)]) + STORE.encode() + self.supply_key
        return f"observation/store/{self.hub_client}/".encode() + sha256(place).digest()

    def supply(self) -> int:
        """How much exists now, as the chain's node says it."""
        url = f"{self.rest_url}/cosmos/bank/v1beta1/supply/by_denom"
        with httpx.Client(timeout=REQUEST_TIMEOUT_S, trust_env=False) as client:
            answer = client.get(url, params={"denom": self.denom}).raise_for_status()
        return int(answer.json()["amount"]["amount"])

    def observed(self, interval_s: int, push_to: tuple[str, ...]) -> ObservedKey:
        """The observation that keeps the record, brought to the readers of these chains."""
        name = f"supply {self.chain} {self.denom}"
        return ObservedKey(name, self.chain, STORE, self.supply_key, interval_s, push_to)
