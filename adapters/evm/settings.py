"""How an EVM chain is configured."""

from dataclasses import dataclass, field

from hutong.adapters.evm.attested.attestors import Alert, OnAlert
from hutong.adapters.ics26.chain import RouterSettings
from hutong.adapters.rpc import RpcOptions
from hutong.light_clients.bft_evm import QuorumRule, ValidatorContract
from hutong.light_clients.ethereum import Network


def _unheard(_alert: Alert) -> None:
    """The code that opens the chain decides who is told."""


@dataclass(frozen=True, slots=True)
class EvmSettings:
    """`consensus` is `qbft`, `ibft2` or `istanbul` (every block is final when it exists), `clique`, `ethereum`
    (finalized by the beacon chain of `network`, whose nodes' base URLs are `beacon`), or `attested` (by `attestors`,
    base URLs).

    `confirmations` is how many blocks stand above a final block of a Clique or an attested chain; None, for an attested
    one alone: its nodes say what is final. `quorum_rule` and `validator_contract` are a BFT chain's, period and epoch
    length a Clique chain's.
    """

    chain_id: int
    rpc: tuple[str, ...]
    router: RouterSettings
    ws: tuple[str, ...] = ()
    consensus: str = "qbft"
    attestors: tuple[str, ...] = ()
    confirmations: int | None = None
    beacon: tuple[str, ...] = ()
    network: Network | None = None
    quorum_rule: QuorumRule = QuorumRule.CEIL_TWO_THIRDS
    validator_contract: ValidatorContract | None = None
    clique_period_s: int = 0
    clique_epoch_length: int = 1
    on_alert: OnAlert = _unheard
    options: RpcOptions = field(default_factory=RpcOptions)
