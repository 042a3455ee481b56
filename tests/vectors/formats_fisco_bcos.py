"""Area fisco_bcos: blocks as nodes serve them, and Merkle proofs."""

from collections.abc import Iterator

from hutong.light_clients.fisco_bcos import CryptoSuite, Generation, header_from_rpc
from hutong.light_clients.fisco_bcos import suite as suites
from hutong.light_clients.fisco_bcos.predicates import quorum_weight
from hutong.light_clients.fisco_bcos.rpc_json import generation_of, number
from hutong.light_clients.fisco_bcos.rpc_receipt import Kind, has_proof, inclusion_from_rpc
from hutong.light_clients.fisco_bcos.types import total_weight
from hutong.light_clients.interface import Height, PredicateFailed
from tests.vectors.vector_registry import Entry, Group, Verification, runs


def from_hex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


@runs("fisco2-block-json", "fisco3-block-json")
def block(entry: Entry, group: Group) -> Iterator[Verification]:
    """The block hash is taken as given: the one block of 2.x has other fields than those that were hashed."""
    served = entry.json()
    expected = Generation.V2 if entry.format.startswith("fisco2") else Generation.V3
    header = header_from_rpc(served, Height(0, 0))
    crypto = CryptoSuite.GM if "sm2" in entry.params.get("crypto", "") else CryptoSuite.ECDSA
    block_hash = from_hex(served["hash"])
    sealers = header.block.sealers
    signed: set[int] = set()

    def run(signature):
        require(generation_of(served) is expected, "generation", "the block is of the other generation")
        require(header.block.number == entry.params.get("height", header.block.number), "height", "another height")
        require(signature.sealer_index < len(sealers), "signatures_of_sealers", "no such sealer")
        sealer = sealers[signature.sealer_index]
        if not suites.is_signed_by(crypto, sealer.public_key, block_hash, signature.signature):
            raise PredicateFailed("signatures_of_sealers", "not its sealer's", got=signature.signature)
        signed.add(signature.sealer_index)
        if signature is header.signatures[-1]:
            weight, needed = sum(sealers[index].weight for index in signed), quorum_weight(total_weight(sealers))
            if weight < needed:
                raise PredicateFailed("quorum_of_own_sealers", "too little weight", weight, needed)

    for signature in header.signatures:
        yield Verification(f"sealer {signature.sealer_index}", lambda signature=signature: run(signature))


def require(held: bool, predicate: str, reason: str) -> None:
    if not held:
        raise PredicateFailed(predicate, reason)


@runs("fisco-merkle-proofs-json")
def merkle_proofs(entry: Entry, group: Group) -> Iterator[Verification]:
    """Every path by its kind: whose leaf it has, and where the group has the block, under which of its roots it ends."""
    is_generation_2 = entry.params.get("version", 3) == 2
    blocks = {block_number(served): served for served in blocks_of(group)}
    for item in entry.json():
        for kind in Kind:
            if not has_proof(item["object"], kind):
                continue

            def run(item=item, kind=kind) -> None:
                answer = item["object"]
                found = inclusion_from_rpc(answer, kind, CryptoSuite.ECDSA, is_generation_2=is_generation_2)
                inner = answer.get("transactionReceipt", answer)
                block = blocks.get(block_number(inner)) if "blockNumber" in inner else None
                if block is not None:
                    found.verify(CryptoSuite.ECDSA, header_from_rpc(block, Height(0, 0)).block)

            yield Verification(f"{item['source']} {kind}", run)


def blocks_of(group: Group) -> list[dict]:
    return [e.json() for e in group.entries if e.format in ("fisco2-block-json", "fisco3-block-json")]


def block_number(served: dict) -> int:
    return number(served.get("blockNumber", served.get("number")), "number")
