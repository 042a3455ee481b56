"""One question for three judges."""

from dataclasses import dataclass

from hutong.light_clients.interface import Height


@dataclass(frozen=True)
class Case:
    """`family` names the honest twin; `expected` None: whatever the three say, they must say the same.

    All bytes are the stock protobuf messages; `now_ns` is whole seconds, since an EVM knows no finer time.
    """

    family: str
    name: str
    kind: str
    now_ns: int
    client_state: bytes
    consensus_states: tuple[tuple[Height, bytes], ...]
    message: bytes = b""
    height: Height = Height(0, 0)
    path: tuple[bytes, ...] = ()
    value: bytes = b""
    expected: str | None = None

    @property
    def id(self) -> str:
        return f"{self.family}: {self.name}"
