"""The headers of a snapshot of height h: those of h-255 to h+1, oldest first.

The app hash commits to no header, so a snapshot's headers are believed in two steps: h+1 must carry the app hash that a light
client trusts, each must be the one that the next names, and before block h+1 is executed its hash must be the decided one.
"""

from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.light_clients.tendermint.codec import decode_header
from hutong.light_clients.tendermint.hashing import header_hash
from hutong.light_clients.tendermint.types import Header
from hutong.relay.hub.application.genesis import Genesis
from hutong.relay.hub.application.snapshot.format import first_header

MAX_TIME_NS = 2**63 - 1


def check_height(genesis: Genesis, height: int) -> None:
    """A snapshot is of a block of its own revision.

    Raises:
        PredicateFailed: `snapshot_of_this_revision`.
    """
    if height <= genesis.base_height:
        raise PredicateFailed(
            "snapshot_of_this_revision",
            f"{genesis.chain_id} begins after block {genesis.base_height}",
            height,
            f"> {genesis.base_height}",
        )


class Ancestry:
    """Takes encoded headers in order and keeps what the restored node needs of them."""

    def __init__(self, genesis: Genesis, height: int, rules_version: int, app_hash: bytes) -> None:
        check_height(genesis, height)
        self._genesis = genesis
        self._height = height
        self._rules_version = rules_version
        self._app_hash = app_hash
        self._next = first_header(height)
        self._last_hash: bytes | None = None
        self.hashes: dict[int, bytes] = {}
        """Of every header, `height` + 1 included."""
        self.header_of_height: Header | None = None

    @property
    def complete(self) -> bool:
        """Whether the header of `height` + 1, which is the last, has come."""
        return self._next > self._height + 1

    def feed(self, encoded: bytes) -> Header:
        """The next header, decoded, once it fits those before it.

        Raises:
            MalformedInput: no canonical header.
            PredicateFailed: `header_heights_follow`, `header_of_this_chain`, `header_time_in_range`,
                `headers_are_linked`, `header_has_rules_version`, `header_has_trusted_app_hash`.
        """
        if self.complete:
            raise PredicateFailed("header_heights_follow", "a header after the last", got=self._next)
        header = decode_header(encoded)
        if header.height != self._next:
            raise PredicateFailed("header_heights_follow", "another height", header.height, self._next)
        chain_id = self._chain_id_at(header.height)
        if header.chain_id != chain_id:
            raise PredicateFailed("header_of_this_chain", "another chain", header.chain_id, chain_id)
        if not 0 < header.time_ns <= MAX_TIME_NS:
            raise PredicateFailed("header_time_in_range", "before 1970 or after 2262", got=header.time_ns)
        self._check_link(header)
        if header.height == self._height + 1:
            self._check_last(header)
        if header.height == self._height:
            self.header_of_height = header
        self._last_hash = header_hash(header)
        self.hashes[header.height] = self._last_hash
        self._next += 1
        return header

    def _chain_id_at(self, height: int) -> str:
        continues = self._genesis.continues
        if continues is not None and height <= continues.height:
            return continues.chain_id
        return self._genesis.chain_id

    def _check_link(self, header: Header) -> None:
        named = header.last_block_id.hash
        if header.height == self._genesis.base_height + 1:
            if not header.last_block_id.is_zero:
                raise PredicateFailed("headers_are_linked", f"block {header.height} follows none", got=named)
            continues = self._genesis.continues
            named = b"" if continues is None else continues.block_hash
        if self._last_hash is not None and named != self._last_hash:
            raise PredicateFailed(
                "headers_are_linked", f"header {header.height} follows another block", named, self._last_hash
            )

    def _check_last(self, header: Header) -> None:
        if header.version_app != self._rules_version:
            raise PredicateFailed(
                "header_has_rules_version", "other rules than the manifest's", header.version_app, self._rules_version
            )
        if header.app_hash != self._app_hash:
            raise PredicateFailed(
                "header_has_trusted_app_hash",
                f"header {header.height} has another app hash",
                header.app_hash,
                self._app_hash,
            )

    def restored_header(self) -> Header:
        """The header of `height`.

        Raises:
            MalformedInput: it has not come.
        """
        if self.header_of_height is None:
            raise MalformedInput("snapshot.headers", "are missing")
        return self.header_of_height
