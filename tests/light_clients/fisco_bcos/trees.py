"""The Merkle trees of both generations, built whole from their leaves, with the path of any leaf."""

import rlp

from hutong.light_clients.fisco_bcos import MerkleStep


def leaves_v2(hashes: list[bytes]) -> list[bytes]:
    return [rlp.encode(index) + leaf for index, leaf in enumerate(hashes)]


def _climb(digest, nodes: list[bytes], width: int, place: int) -> tuple[bytes, tuple[MerkleStep, ...]]:
    steps = []
    while len(nodes) > 1:
        start = place - place % width
        steps.append(MerkleStep(tuple(nodes[start:place]), tuple(nodes[place + 1 : start + width])))
        nodes = [digest(b"".join(nodes[at : at + width])) for at in range(0, len(nodes), width)]
        place //= width
    return nodes[0], tuple(steps)


def tree_v2(digest, hashes: list[bytes], place: int = 0) -> tuple[bytes, tuple[MerkleStep, ...]]:
    """Root, and the path of the leaf at `place`: sixteen children, indexed leaves, the top hashed once more."""
    if not hashes:
        return digest(b""), ()
    top, steps = _climb(digest, leaves_v2(hashes), 16, place)
    return digest(top), (*steps, MerkleStep((), ()))


def tree_v3(digest, hashes: list[bytes], place: int = 0) -> tuple[bytes, tuple[MerkleStep, ...]]:
    """Root, and the path of the leaf at `place`: two children, bare leaves."""
    return _climb(digest, hashes, 2, place) if hashes else (bytes(32), ())
