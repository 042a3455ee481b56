"""What one execution gives to the native modules beside the EVM: the state's view, the exact block time, the rules."""

from dataclasses import dataclass

from hutong.relay.evm.vm.native import Journaled, NativeCall
from hutong.relay.hub.application import gas
from hutong.relay.hub.state import StateView


@dataclass(frozen=True, slots=True)
class Frame:
    """Attached to an `EvmState` as its journaled store; one per block, or per call outside blocks.

    `now_ns` is the executed block's time. `rules_version` is the header's `version.app`. `parent` reads the state as the
    block found it, for rules that judge a block as a whole; nothing is written to it.
    """

    view: StateView
    parent: StateView
    now_ns: int
    height: int
    rules_version: int
    runs_any_code: bool = True
    """False where named accounts and contracts alone run code (named_code.py)."""

    @property
    def now_s(self) -> int:
        """The executed block's time in whole seconds of Unix time, rounded down."""
        return self.now_ns // 1_000_000_000

    def snapshot(self) -> int:
        """A mark in the view's journal, as `Journaled` says; `parent` is not part of it."""
        return self.view.snapshot()

    def revert(self, snapshot_id: int) -> None:
        """Undo every write to the view since that mark."""
        self.view.revert(snapshot_id)

    def commit(self, snapshot_id: int) -> None:
        """Keep the writes since that mark, as part of the mark below it."""
        self.view.commit(snapshot_id)


_JOURNALED: type[Journaled] = Frame


def frame_of(call: NativeCall) -> Frame:
    """The frame that this call runs in.

    Raises:
        TypeError: the call does not run over a hub frame, which is a bug of the caller.
    """
    (frame,) = call.journaled
    if not isinstance(frame, Frame):
        raise TypeError("the hub's native modules run over a hub frame only")
    return frame


class MeteredReader:
    """Reads of one call, charged before they happen."""

    def __init__(self, call: NativeCall, view: StateView) -> None:
        self._call = call
        self._view = view

    @staticmethod
    def before_block(call: NativeCall) -> "MeteredReader":
        """The state as the running block found it, which no call writes to.

        Raises:
            TypeError: as `frame_of`.
        """
        return MeteredReader(call, frame_of(call).parent)

    def get(self, key: bytes) -> bytes | None:
        """The value under a key, None where there is none; costs STORE_READ. Out of gas ends the call."""
        self._call.charge(gas.STORE_READ, "hub state read")
        return self._view.get(key)

    def next(self, key: bytes) -> tuple[bytes, bytes] | None:
        """The row with the least key above `key`, None at the end; costs SCAN_ROW."""
        self._call.charge(gas.SCAN_ROW, "hub state scan")
        return self._view.next(key)

    def previous(self, key: bytes) -> tuple[bytes, bytes] | None:
        """The row with the greatest key below `key`, None at the beginning; costs SCAN_ROW."""
        self._call.charge(gas.SCAN_ROW, "hub state scan")
        return self._view.previous(key)


class MeteredStore(MeteredReader):
    """Reads and writes of one call in the state of the running block, charged before they happen."""

    def __init__(self, call: NativeCall, frame: Frame) -> None:
        super().__init__(call, frame.view)

    def set(self, key: bytes, value: bytes) -> None:
        """Write a value; costs STORE_WRITE and STORE_BYTE for each byte of it. A call that may not write is ended."""
        self._call.require_writable()
        self._call.charge(gas.STORE_WRITE + gas.STORE_BYTE * len(value), "hub state write")
        self._view.set(key, value)

    def delete(self, key: bytes) -> None:
        """Take a key out; costs STORE_WRITE, also where it is absent. A call that may not write is ended."""
        self._call.require_writable()
        self._call.charge(gas.STORE_WRITE, "hub state delete")
        self._view.delete(key)
