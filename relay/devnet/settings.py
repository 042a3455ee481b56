"""What a development chain is started with."""

import re
from dataclasses import dataclass, field
from typing import Literal, get_args

from hutong.relay.evm.vm.rules import FORKS, Fork

DEFAULT_PORT = 18545
DEFAULT_PERIOD_MS = 1_000
DEFAULT_PROOF_BLOCK_MS = 200
DEFAULT_VALIDATORS = 4
MAX_VALIDATORS = 100
DEFAULT_FUNDING_WEI = 10**24
DEFAULT_GAS_LIMIT = 30_000_000
CLIQUE_EPOCH_LENGTH = 30_000
Consensus = Literal["qbft", "ibft2", "istanbul", "clique"]
CONSENSUS: tuple[Consensus, ...] = get_args(Consensus)
MAX_CHAIN_ID = 2**53 - 1
"""Wallets keep chain ids in IEEE doubles."""
_FUND = re.compile(r"(?:0x)?([0-9a-fA-F]{40})(?:=([0-9]{1,60}))?")


class DevnetError(Exception):
    """A development chain cannot start or do as it is told; the message says why and what helps."""


@dataclass(frozen=True, slots=True)
class Genesis:
    """What can never change once the first block is stored."""

    chain_id: int
    fork: Fork = "prague"
    gas_limit: int = DEFAULT_GAS_LIMIT
    funds_wei: dict[bytes, int] = field(default_factory=dict)
    consensus: Consensus = "qbft"

    def __post_init__(self) -> None:
        if not 1 <= self.chain_id <= MAX_CHAIN_ID:
            raise DevnetError(f"chain id {self.chain_id} is not within 1 and {MAX_CHAIN_ID}")
        if self.fork not in FORKS:
            raise DevnetError(f"fork {self.fork} is not offered; take one of {', '.join(FORKS)}")
        if self.consensus not in CONSENSUS:
            raise DevnetError(f"consensus {self.consensus} is not offered; take one of {', '.join(CONSENSUS)}")
        if self.gas_limit < 1_000_000:
            raise DevnetError(f"a gas limit of {self.gas_limit} has no room for a deployment; take 1000000 or more")
        for address, amount_wei in self.funds_wei.items():
            if len(address) != 20 or not 0 <= amount_wei < 2**200:
                raise DevnetError(f"funding of 0x{address.hex()} is not 20 bytes and an amount below 2^200 wei")


def funding_of(text: str) -> tuple[bytes, int]:
    """(account, wei) of ADDRESS or ADDRESS=WEI; DEFAULT_FUNDING_WEI where no amount is named.

    Raises:
        DevnetError: it is neither.
    """
    match = _FUND.fullmatch(text)
    if match is None:
        raise DevnetError(f"--fund {text[:80]} is not an address of 20 bytes in hex, optionally followed by =WEI")
    return bytes.fromhex(match[1]), DEFAULT_FUNDING_WEI if match[2] is None else int(match[2])


@dataclass(frozen=True, slots=True)
class Pace:
    """When blocks come: one a period, and one sooner after a block that changed the state, as on the hub."""

    period_ms: int = DEFAULT_PERIOD_MS
    proof_block_ms: int = DEFAULT_PROOF_BLOCK_MS

    def __post_init__(self) -> None:
        if not 10 <= self.period_ms <= 60_000:
            raise DevnetError(f"a period of {self.period_ms} ms is not within 10 and 60000")
        if self.proof_block_ms < 10:
            raise DevnetError(f"a proof block after {self.proof_block_ms} ms is too soon; take 10 or more")

    def delay_s(self, *, state_changed: bool) -> float:
        """How long after the newest block the next one comes, seconds.

        Args:
            state_changed: the newest block changed the state, so that proofs of it wait for the next.
        """
        return (min(self.proof_block_ms, self.period_ms) if state_changed else self.period_ms) / 1000
