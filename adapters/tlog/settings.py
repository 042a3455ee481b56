"""How a log is reached and believed."""

from dataclasses import dataclass, field

from hutong.adapters.rpc import RpcOptions
from hutong.light_clients.tlog import LogTrust


@dataclass(frozen=True, slots=True)
class LogSettings:
    """`urls` are prefixes of C2SP tlog-tiles, in the order in which they are preferred; `trust` is the operator's choice."""

    name: str
    urls: tuple[str, ...]
    trust: LogTrust
    poll_interval_s: float = 1.0
    options: RpcOptions = field(default_factory=RpcOptions)
