"""What an operator may tune about endpoints; `hutong.relay.config.endpoints` is the same as a file says it."""

from dataclasses import dataclass

from hutong.adapters.rpc.access import NO_ACCESS, AccessList


@dataclass(frozen=True, slots=True)
class RpcOptions:
    """`rounds` is how often all usable endpoints are asked before a call gives up; waits between rounds grow from
    `backoff_first_s` by doubling to `backoff_most_s`, each multiplied by a random factor in [0.5, 1.5).

    `attempt_timeout_s` bounds one attempt on one endpoint, so that a silent one is left; the whole call belongs to
    the caller's deadline. Where all endpoints are asked at once, `straggler_grace_s` is how long the others are waited
    for after the first answer. `access` is what the endpoints ask for before they answer.
    """

    attempt_timeout_s: float = 10.0
    rounds: int = 4
    backoff_first_s: float = 0.2
    backoff_most_s: float = 5.0
    requests_per_s: float = 200.0
    burst: int = 50
    max_answer_bytes: int = 16 * 1024 * 1024
    max_lag_blocks: int = 5
    straggler_grace_s: float = 1.0
    quarantine_s: float = 30.0
    mismatch_quarantine_s: float = 300.0
    max_concurrency: int = 16
    access: AccessList = NO_ACCESS
