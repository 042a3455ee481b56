"""Accepted connections that have not said hello: how many there may be, and which one goes when another comes.

A newcomer may be a peer whose address nobody can tell beforehand, so it is let in, and the oldest connection of the host that
has most goes: strangers, however many, push out each other before they push out a peer that is about to show its certificate.
"""

from collections import Counter
from collections.abc import Iterable

import trio

MAX_STRANGERS = 64
"""Of hosts that network.toml does not name by address; those of hosts that it names come beside them."""
MAX_OF_HOST = 32
"""Also of a host that peers are at: each holds a descriptor for as long as it says nothing."""


class Greeting:
    """One connection. A connection that is let go finds its `scope` cancelled."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.scope = trio.CancelScope()
        self.authenticated = False
        """It has shown a listed certificate and is not let go for a newcomer any more."""
        self.node_id = ""


class Greetings:
    def __init__(self, hosts: Iterable[str]) -> None:
        self._hosts = frozenset(hosts)
        self._waiting: dict[Greeting, None] = {}
        """In order of arrival."""

    def expect(self, hosts: Iterable[str]) -> None:
        """Peers are at these hosts from now on; connections that wait stay."""
        self._hosts = frozenset(hosts)

    def __len__(self) -> int:
        return len(self._waiting)

    def admit(self, host: str) -> Greeting | None:
        """Room for one more connection from `host`, if need be another's, whose scope is then cancelled.

        None where all that could go have shown their certificates: the newcomer is to be closed.
        """
        if sum(item.host == host for item in self._waiting) >= MAX_OF_HOST:
            rivals = [item for item in self._waiting if item.host == host]
        elif host not in self._hosts and len(strangers := self._strangers()) >= MAX_STRANGERS:
            rivals = strangers
        else:
            rivals = None
        if rivals is not None and not self._let_go(rivals):
            return None
        greeting = Greeting(host)
        self._waiting[greeting] = None
        return greeting

    def shown(self, greeting: Greeting, node_id: str) -> None:
        """It has shown the certificate of `node_id`.

        An older one of the same node goes, so that no node holds two places.
        """
        for older in [item for item in self._waiting if item.node_id == node_id and item is not greeting]:
            del self._waiting[older]
            older.scope.cancel()
        greeting.authenticated, greeting.node_id = True, node_id

    def leave(self, greeting: Greeting) -> None:
        """The connection has said hello or ended: its place is free. Again is harmless."""
        self._waiting.pop(greeting, None)

    def _strangers(self) -> list[Greeting]:
        return [item for item in self._waiting if item.host not in self._hosts]

    def _let_go(self, rivals: list[Greeting]) -> bool:
        silent = [item for item in rivals if not item.authenticated]
        if not silent:
            return False
        of_host = Counter(item.host for item in silent)
        most = max(of_host.values())
        oldest = next(item for item in silent if of_host[item.host] == most)
        del self._waiting[oldest]
        oldest.scope.cancel()
        return True
