"""What a key's transactions of one UTC day may cost together."""

from collections import Counter
from dataclasses import dataclass, field

from hutong.relay.config.keys.policy import PolicyConfig
from hutong.relay.keys.documents import CosmosTransaction, EvmTransaction, SigningDocument

DAY_S = 86_400
Place = tuple[str, int]
"""Chain and nonce or sequence: of all transactions of one place at most one is ever included."""
WEI = "wei"
"""The unit of EVM transactions; those of Cosmos chains are `cosmos:` and the denomination."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one transaction costs at most: amounts by unit, and where it is counted."""

    place: Place
    amounts: tuple[tuple[str, int], ...]


def cost_of(document: SigningDocument) -> Cost | None:
    """None of what pays nothing by itself."""
    match document:
        case EvmTransaction():
            return Cost((str(document.chain_id), document.nonce), ((WEI, document.most_wei),))
        case CosmosTransaction():
            fee = tuple((_cosmos(denom), amount) for denom, amount in document.fee)
            return Cost((document.chain_id, document.sequence), fee)
    return None


@dataclass(slots=True)
class Spending:
    """Of one key. A dearer copy of a transaction replaces it, so the dearest of a place counts, once."""

    limits: dict[str, int]
    """By unit. What has none is not limited."""
    _day: int = -1
    _most: dict[tuple[Place, str], int] = field(default_factory=dict)
    _spent: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, policy: PolicyConfig) -> "Spending":
        """With the limits of a policy, and nothing spent."""
        limits = {_cosmos(denom): amount for denom, amount in (policy.fee_per_day or {}).items()}
        if policy.cost_per_day_wei is not None:
            limits[WEI] = policy.cost_per_day_wei
        return cls(limits)

    def forbids(self, cost: Cost, time_s: int) -> str | None:
        """Why it may not be spent at this Unix second, None where it may."""
        self._begin(time_s)
        for unit, amount in cost.amounts:
            limit = self.limits.get(unit)
            if limit is None:
                continue
            if self._spent[unit] + self._more(cost.place, unit, amount) > limit:
                rule = "cost_per_day_wei" if unit == WEI else "fee_per_day"
                said = unit.removeprefix("cosmos:")[:64]
                return f"{rule}: {self._spent[unit]} of today's {limit} {said} are spent, and this costs up to {amount}"
        return None

    def spend(self, cost: Cost, time_s: int) -> None:
        """Count it. A clock that goes back gives no new day: it is counted in the newest."""
        self._begin(time_s)
        for unit, amount in cost.amounts:
            self._spent[unit] += self._more(cost.place, unit, amount)
            where = (cost.place, unit)
            self._most[where] = max(amount, self._most.get(where, 0))

    def _begin(self, time_s: int) -> None:
        if time_s // DAY_S > self._day:
            self._day = time_s // DAY_S
            self._most.clear()
            self._spent.clear()

    def _more(self, place: Place, unit: str, amount: int) -> int:
        return max(0, amount - self._most.get((place, unit), 0))


def _cosmos(denom: str) -> str:
    return f"cosmos:{denom}"
