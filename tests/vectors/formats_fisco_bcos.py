"""Area fisco_bcos: blocks as nodes serve them, and Merkle proofs."""

from collections.abc import Iterator

from vector_registry import Entry, Group, Verification, runs

from light_clients.fisco_bcos import CryptoSuite, Generation, header_from_rpc, steps_from_rpc
from light_clients.fisco_bcos import suite as suites
from light_clients.fisco_bcos.predicates import quorum_weight
from light_clients.fisco_bcos.rpc_json import generation_of
from light_clients.fisco_bcos.types import total_weight
from light_clients.interface import Height, MalformedInput, PredicateFailed


def from_hex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


@runs("fisco2-block-json", "fisco3-block-json")
def block(entry: Entry, group: Group) -> Iterator[Verification]:
    """The block hash is taken as given: the one block of 2.x has other fields than those that were hashed."""
    served = entry.json()
    expected = Generation.V2 if entry.format.startswith("fisco2") else Generation.V3
    header = header_from_rpc(served, Height(0, 0))
    crypto = CryptoSuite.GM if "sm2" in entry.params["crypto"] else CryptoSuite.ECDSA
    block_hash = from_hex(served["hash"])
    sealers = header.block.sealers
    signed: set[int] = set()

    def run(signature):
        assert generation_of(served) is expected
        assert header.block.number == entry.params["height"]
        assert (len(header.signatures), len(sealers)) == (entry.params["signatures"], entry.params["sealers"])
        sealer = sealers[signature.sealer_index]
        if not suites.is_signed_by(crypto, sealer.public_key, block_hash, signature.signature):
            raise PredicateFailed("signatures_of_sealers", "not its sealer's", got=signature.signature)
        signed.add(signature.sealer_index)
        if len(signed) == len(header.signatures):
            weight, needed = sum(sealers[index].weight for index in signed), quorum_weight(total_weight(sealers))
            if weight < needed:
                raise PredicateFailed("quorum_of_own_sealers", "too little weight", weight, needed)

    for signature in header.signatures:
        yield Verification(f"sealer {signature.sealer_index}", lambda signature=signature: run(signature))


PROOF_KEYS = ("txProof", "transactionProof", "receiptProof")
HASH_KEYS = ("transactionHash", "hash")


@runs("fisco-merkle-proofs-json")
def merkle_proofs(entry: Entry, group: Group) -> Iterator[Verification]:
    """Read, but for what verifies there is no root in the file."""
    for item in entry.json():
        served = item["object"]
        leaf = next((from_hex(served[key]) for key in HASH_KEYS if key in served), bytes(32))
        for key in PROOF_KEYS:
            if served.get(key):
                try:
                    steps_from_rpc(
                        served[key],
                        from_hex(served["hash"]) if key == "txProof" and "hash" in served else leaf,
                        CryptoSuite.ECDSA,
                    )
                except MalformedInput as error:
                    raise AssertionError(f"{item['source']} {key}: {error}") from error
    yield from ()
