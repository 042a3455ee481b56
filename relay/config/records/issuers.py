"""`[[issuers]]`: what a hub says of issuers of credentials, which the relay brings to caches on other chains.

Example:

    [[issuers]]
    name = "clinic"                      # a label for people
    issuer = "did:hutong:hutong:0a…"     # 64 hex digits
    lists = [0]                          # its status lists, by number
    interval_s = 10                      # and every 10 s, so that gates of 15 s stay open
    push_to = [{ chain = "beta", cache = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8" }]
"""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from hutong.relay.config.fields import Address, Model, Name
from hutong.relay.config.records.observations import MAX_INTERVAL_S, MAX_PUSHES, Label

MAX_LISTS = 200
"""A proof is of 256 records at most, and a chain of accreditations needs up to a dozen."""
_DID = re.compile(r"did:hutong:([A-Za-z0-9._-]{1,64}):([0-9a-f]{64})")


def name_in_dids(chain_id: str) -> str:
    """How DIDs of a hub name it: by its chain id without the revision, `hutong` of `hutong-1`."""
    name, dash, _ = chain_id.rpartition("-")
    return name if dash else chain_id


def _check_did(text: str) -> str:
    if _DID.fullmatch(text) is None:
        raise ValueError("must be a DID of a hub: did:hutong:<hub>:<id>, the id 64 lower-case hexadecimal digits")
    return text


def _check_lists(numbers: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(numbers)) != len(numbers):
        raise ValueError("names a list twice")
    return numbers


class CachePushConfig(Model):
    """An IdentityCache (`hutong identity deploy-cache`) on an EVM chain that is kept up to date."""

    chain: Name
    cache: Address


class IssuerConfig(Model):
    """An issuer on a hub, and the caches that hear of each change at once, and at an interval where one is set."""

    name: Label
    issuer: Annotated[str, AfterValidator(_check_did)]
    lists: Annotated[
        tuple[Annotated[int, Field(ge=0, lt=2**64)], ...],
        Field(min_length=1, max_length=MAX_LISTS, strict=False),
        AfterValidator(_check_lists),
    ]
    interval_s: Annotated[int, Field(ge=1, le=MAX_INTERVAL_S)] | None = None
    """How old the hub's header may be under which a cache keeps the issuer. None: changes alone are brought."""
    push_to: Annotated[tuple[CachePushConfig, ...], Field(min_length=1, max_length=MAX_PUSHES, strict=False)]

    @property
    def hub_name(self) -> str:
        """Of the hub whose records stand for the issuer, as DIDs name it."""
        return self.issuer.split(":")[2]

    @property
    def did(self) -> bytes:
        """32 bytes."""
        return bytes.fromhex(self.issuer.rpartition(":")[2])
