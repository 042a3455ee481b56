"""A journaled map and native modules, as the hub's are, for tests."""

from hutong.relay.evm.vm.native import NativeCall, NativeRevert


class JournaledMap:
    """A dictionary whose writes follow snapshots; it checks that identifiers are used as the protocol says."""

    def __init__(self):
        self.values = {}
        self._stack = []
        self._next = 0

    @property
    def depth(self):
        return len(self._stack)

    def set(self, key, value):
        self.values = {**self.values, key: value}

    def snapshot(self):
        self._next += 1
        self._stack.append((self._next, self.values))
        return self._next

    def revert(self, snapshot_id):
        self.values = self._stack[self._index(snapshot_id)][1]
        del self._stack[self._index(snapshot_id) :]

    def commit(self, snapshot_id):
        del self._stack[self._index(snapshot_id) :]

    def _index(self, snapshot_id):
        return next(index for index, (identifier, _) in enumerate(self._stack) if identifier == snapshot_id)


class Recorder:
    """Runs the program in its call data, a list of operations that the hub's modules also make.

    w key value · l topic · k address kind (call a contract) · s length program (self call) · r (revert) · x (a bug)
    """

    INNER_GAS_SHARE = 16

    def __init__(self, address: bytes, store: JournaledMap) -> None:
        self.address = address
        self.store = store

    def run(self, call: NativeCall) -> bytes:
        program = call.data
        at = 0
        while at < len(program):
            operation = program[at : at + 1]
            if operation == b"w":
                call.require_writable()
                call.charge(100, "write")
                self.store.set((self.address, program[at + 1]), program[at + 2])
                at += 3
            elif operation == b"l":
                call.emit((bytes([program[at + 1]]).rjust(32, b"\0"),), b"native")
                at += 2
            elif operation == b"k":
                target = program[at + 1 : at + 21]
                call.call_contract(
                    target, b"", call.gas_remaining // self.INNER_GAS_SHARE, static=program[at + 21] == 1
                )
                at += 22
            elif operation == b"s":
                length = int.from_bytes(program[at + 1 : at + 3], "big")
                call.call_self(program[at + 3 : at + 3 + length], call.gas_remaining // self.INNER_GAS_SHARE)
                at += 3 + length
            elif operation == b"r":
                raise NativeRevert(b"refused")
            elif operation == b"x":
                raise ZeroDivisionError("a bug in a module")
            else:
                raise AssertionError(operation)
        return program[:32]
