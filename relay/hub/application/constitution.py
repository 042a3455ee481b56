"""What genesis says where the validators govern: who speaks for each of them, and how long a proposal is open."""

from dataclasses import dataclass

from hutong.relay.evm.vm.native import Address

DAY_S = 24 * 3600
MIN_VOTING_PERIOD_S = 60
MAX_VOTING_PERIOD_S = 30 * DAY_S
DEFAULT_VOTING_PERIOD_S = 3 * DAY_S


@dataclass(frozen=True, slots=True)
class Constitution:
    """`operators`: an account for each compressed consensus key of genesis, in the order of the keys."""

    operators: tuple[tuple[bytes, Address], ...]
    voting_period_s: int = DEFAULT_VOTING_PERIOD_S

    def __post_init__(self) -> None:
        accounts = [account for _, account in self.operators]
        if not accounts or len(set(accounts)) != len(accounts) or bytes(20) in accounts:
            raise ValueError("each validator needs an operator account of its own, and none may be zero")
        if sorted(key for key, _ in self.operators) != [key for key, _ in self.operators]:
            raise ValueError("operators come in the order of their consensus keys")
        if not MIN_VOTING_PERIOD_S <= self.voting_period_s <= MAX_VOTING_PERIOD_S:
            raise ValueError(f"the voting period must be {MIN_VOTING_PERIOD_S} to {MAX_VOTING_PERIOD_S} s")
