"""What a key may sign. What is left out is not restricted, but for value and creations: those are named or forbidden.

Example:

    [keys.policy]
    documents = ["evm-transaction"]
    chains = ["31337"]
    contracts = ["0x5FbDB2315678afecb367f032d93F642f64180aa3"]
    selectors = ["0x1234abcd"]
    cost_per_day_wei = 500_000_000_000_000_000
"""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from hutong.relay.config.fields import Address, FilePath, Model

MAX_ENTRIES = 256
_SELECTOR = re.compile(r"0x[0-9a-f]{8}", re.ASCII)
_DOMAIN = re.compile(r"attestations|feed-reports|0x[0-9a-f]{64}", re.ASCII)
_CHAIN = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_TYPE_URL = re.compile(r"/[A-Za-z0-9._/]{1,200}", re.ASCII)
_DENOM = re.compile(r"[A-Za-z][A-Za-z0-9/:._-]{1,127}", re.ASCII)

DocumentWord = Literal[
    "evm-transaction",
    "cosmos-transaction",
    "attestation",
    "feed-report",
    "typed-data",
    "consensus-vote",
    "consensus-proposal",
    "consensus-skip",
    "consensus-vote-extension",
    "jws",
]
Amount = Annotated[int, Field(ge=0, lt=2**200)]


def _matching(pattern: re.Pattern[str], what: str) -> AfterValidator:
    def check(text: str) -> str:
        if pattern.fullmatch(text) is None:
            raise ValueError(f"must be {what}")
        return text

    return AfterValidator(check)


Chain = Annotated[str, _matching(_CHAIN, 'the id of a chain in quotes, such as "31337" or "simd-1"')]
Selector = Annotated[str, _matching(_SELECTOR, "0x and 8 hex digits in lower case")]
Domain = Annotated[
    str, _matching(_DOMAIN, "attestations, feed-reports, or 0x and the 64 hex digits of a domain separator")
]
TypeUrl = Annotated[str, _matching(_TYPE_URL, "a type URL, such as /ibc.core.client.v1.MsgUpdateClient")]
Denom = Annotated[str, _matching(_DENOM, "a denomination, such as stake")]
Many = Field(max_length=MAX_ENTRIES, strict=False)


class PolicyConfig(Model):
    """One key's. Each list allows what it names; an empty one allows everything of its sort."""

    documents: Annotated[tuple[DocumentWord, ...], Field(min_length=1, max_length=MAX_ENTRIES, strict=False)]
    chains: Annotated[tuple[Chain, ...], Many] = ()
    """Of transactions of both kinds, and of attestations the chain that is attested."""
    contracts: Annotated[tuple[Address, ...], Many] = ()
    selectors: Annotated[tuple[Selector, ...], Many] = ()
    creations: bool = False
    """Whether transactions may create contracts."""
    value_wei: Amount = 0
    """The most that one transaction of an EVM chain may send along."""
    cost_per_day_wei: Amount | None = None
    """Value and fees of the EVM transactions of a UTC day together, as if each used all of its gas."""
    messages: Annotated[tuple[TypeUrl, ...], Many] = ()
    """Type URLs of messages in transactions of Cosmos chains."""
    fee_per_day: Annotated[dict[Denom, Amount], Field(max_length=MAX_ENTRIES)] | None = None
    """Fees of the Cosmos transactions of a UTC day together, by denomination; another one is refused."""
    domains: Annotated[tuple[Domain, ...], Many] = ()
    """Of structs of EIP-712."""
    record: FilePath | None = None
    """Where what was signed is written down first: a new file, or one that this key has. Needed for what is per day."""

    @property
    def counts_days(self) -> bool:
        """Whether it has to know what was signed today."""
        return self.cost_per_day_wei is not None or self.fee_per_day is not None

    @model_validator(mode="after")
    def _selectors_of_contracts(self) -> Self:
        if self.selectors and not self.contracts:
            raise ValueError("has selectors and no contracts: another contract may mean something else by them")
        return self
