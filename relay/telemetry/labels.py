"""Values of labels: names of the configuration and closed sets of this code; anything else is `other`.

So the number of series is bounded by the configuration, whatever packets and nodes say (attack list G15).
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from prometheus_client.metrics import MetricWrapperBase

M = TypeVar("M", bound=MetricWrapperBase)

OTHER = "other"
JOB_KINDS = ("receive", "acknowledge", "timeout")
JOB_OUTCOMES = ("settled", "retried", "dead", "superseded", "expired")
TRANSACTION_OUTCOMES = ("included", "reverted", "dropped", "refused", "replaced")
STAGES = ("queued", "submitted", "included", "acknowledged")
FORK_WATCH_STATES = (
    "compared",
    "attested",
    "inactive",
    "behind",
    "passed_over",
    "endpoint",
    "header",
    "evidence",
)
PORTS = ("transfer", "gmpport", "forward")
"""Ports that this relay knows by name; a packet may name any other."""
WORKER_TYPES = {"worker": "packet", "keeper": "client", "wallet": "wallet"}
"""By the kind of task: what Hermes calls the worker that does the same."""

Ends = Mapping[tuple[str, str], str]
"""(chain, client) of every configured path end, with the chain on the other side."""


class Labels:
    """The names of one configuration."""

    def __init__(self, chains: Iterable[str], ends: Ends) -> None:
        self._chains = frozenset(chains)
        self.ends = dict(ends)

    def chain(self, name: str) -> str:
        """`name` if it is a configured chain, else `other`: the value of a label."""
        return name if name in self._chains else OTHER

    def client(self, chain: str, client_id: str) -> str:
        """`client_id` if it is a configured path end on `chain`, else `other`: the value of a label."""
        return client_id if (chain, client_id) in self.ends else OTHER


def one_of(value: str, known: Iterable[str]) -> str:
    """That of `known` which equals `value`, or `other`: the value of a label.

    It is compared one by one, since `value` may be an enumeration's member, whose hash is slow.
    """
    for one in known:
        if one == value:
            return one
    return OTHER


def series(metric: M) -> Callable[..., M]:
    """`metric.labels` with a memory, for what happens to every packet.

    Its arguments must come out of this module: what is remembered is never forgotten.
    """
    children: dict[tuple[str, ...], M] = {}

    def child(*labels: str) -> M:
        found = children.get(labels)
        if found is None:
            found = children[labels] = metric.labels(*labels)
        return found

    return child
