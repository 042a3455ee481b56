"""ABCI queries: raw values of the state, with proofs."""

from hutong.relay.evm.chain.block_store import BlockStore
from hutong.relay.hub.application.abci import CODE_OK, CODE_UNKNOWN_HEIGHT, CODE_UNKNOWN_PATH, QueryResponse
from hutong.relay.hub.state import VersionedState
from hutong.relay.hub.state.keys import MAX_KEY_BYTES

QUERY_STORE_PATHS = ("/store/ibc/key", "/store/hub/key", "/key")


class StateQueries:
    def __init__(self, state: VersionedState, blocks: BlockStore) -> None:
        self._state = state
        self._blocks = blocks

    def answer(self, path: str, data: bytes, height: int, *, prove: bool) -> QueryResponse:
        """The value under the key `data`, empty where there is none; `height` 0 is the newest version.

        With `prove` an ICS-23 proof, of absence too, which verifies at the returned height's header. A path, key or
        height that is not served has a code and a sentence in the answer.
        """
        latest = self._state.latest_version()
        version = latest if height == 0 else height
        if path not in QUERY_STORE_PATHS:
            return QueryResponse(CODE_UNKNOWN_PATH, f"unknown path; one of {QUERY_STORE_PATHS}", data, b"", b"", 0)
        if not 0 < len(data) <= MAX_KEY_BYTES:
            return QueryResponse(CODE_UNKNOWN_PATH, f"a key has 1 to {MAX_KEY_BYTES} bytes", data, b"", b"", 0)
        if latest is None or version is None or not 0 <= version <= latest:
            return QueryResponse(CODE_UNKNOWN_HEIGHT, f"no state at height {version}", data, b"", b"", 0)
        if self._state.root(version) is None:
            return QueryResponse(CODE_UNKNOWN_HEIGHT, f"no state at height {version}{self._since()}", data, b"", b"", 0)
        if prove:
            value, proof = self._state.get_with_proof(version, data)
        else:
            value, proof = self._state.view_at(version).get(data), b""
        return QueryResponse(CODE_OK, "", data, value or b"", proof, version + 1)

    def _since(self) -> str:
        restored, oldest = self._blocks.restored(), self.oldest_state()
        if restored is not None and restored.number == oldest:
            return f": this node was restored at {restored.number}"
        return f": states before {oldest} are pruned on this node"

    def oldest_state(self) -> int:
        """The height from which on every state is stored; a restored node has that of genesis besides."""
        restored = self._blocks.restored()
        return max(self._state.oldest_version() or 0, 0 if restored is None else restored.number)
