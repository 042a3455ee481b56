"""Which packets sent by the hub are not settled, without reading every packet ever sent.

The state keeps a mark for each deleted commitment, so a scan from the first packet costs as many steps as packets were
sent. A settled packet never comes back, so it is enough to remember which were open and to look at those and at newer ones.
"""

from bisect import bisect_right
from collections.abc import Callable
from threading import Lock

from hutong.light_clients.ibc.commitment import PathKind, path_key
from hutong.relay.hub.state import StateView, keys


class UnsettledPackets:
    """Shared by the reading threads of one node. `newest_view` gives the latest committed version."""

    def __init__(self, newest_view: Callable[[], StateView]) -> None:
        self._newest_view = newest_view
        self._lock = Lock()
        self._open: dict[str, list[int]] = {}
        self._scanned: dict[str, int] = {}

    def above(self, client_id: str, after: int, most: int) -> tuple[StateView, list[int]]:
        """Open packets that were sent over `client_id`, after sequence `after`. Safe from any thread.

        Returns:
            The version that was read, and at most `most` sequences, ascending; none for an unknown client.
        """
        with self._lock:
            # Taken under the lock: an older version than the last one read would lack what that one showed.
            view = self._newest_view()
            raw = view.get(keys.next_sequence_key(client_id))
            if raw is None:
                return view, []
            sent = int.from_bytes(raw, "big") - 1
            opened = self._open.setdefault(client_id, [])
            opened += _commitments(view, client_id, self._scanned.get(client_id, 0))
            self._scanned[client_id] = sent
            found: list[int] = []
            settled: set[int] = set()
            for sequence in opened[bisect_right(opened, after) :]:
                if len(found) == most:
                    break
                if view.get(path_key(client_id, PathKind.COMMITMENT, sequence)) is None:
                    settled.add(sequence)
                else:
                    found.append(sequence)
            if settled:
                self._open[client_id] = [sequence for sequence in opened if sequence not in settled]
            return view, found


def _commitments(view: StateView, client_id: str, above: int) -> list[int]:
    prefix = client_id.encode() + bytes([PathKind.COMMITMENT])
    found = []
    row = view.next(prefix + above.to_bytes(8, "big"))
    while row is not None and row[0].startswith(prefix):
        found.append(int.from_bytes(row[0][len(prefix) :], "big"))
        row = view.next(row[0])
    return found
