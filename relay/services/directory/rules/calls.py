"""Calls of the hub's module `directory` at 0x…1008, by name, arguments and answer (docs/spec/directory-calls.md)."""

from typing import Final

from hutong.relay.services.storage.rules.calls import StorageCall

DIRECTORY_ADDRESS: Final = (0x1008).to_bytes(20, "big")

PUBLISH: Final = StorageCall("publish", ("bytes32", "bytes"), ("uint64",))
"""(publisher, operations as `encode_operations` gives them) to the place in the log of the first of them."""
GET_RECORD: Final = StorageCall("getRecord", ("bytes",), ("bytes",))
"""The value under a key that begins with `directory/`; nothing where there is none."""

CALLS: Final = (PUBLISH, GET_RECORD)
