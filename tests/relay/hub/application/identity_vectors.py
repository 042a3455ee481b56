"""Vectors of the self-test for what the identity module judges: keys, list updates, approvals, logs that grow."""

from hutong.light_clients.crypto import gm, keccak256, secp256k1
from hutong.light_clients.proofs.merkle.consistency import prove_consistency
from hutong.light_clients.proofs.merkle.tree import leaf_hash, root_of_leaves
from hutong.relay.services.identity.rules.organisations.approvals import Operation, operation_digest
from hutong.relay.services.identity.rules.status.chunk_tree import TreeShape, list_root
from hutong.relay.services.identity.rules.status.chunk_update import (
    ChunkChange,
    ListUpdate,
    encode_update,
    prove_update,
)

P256_X = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
P256_Y = "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
P256_PRIME = 2**256 - 2**224 + 2**192 + 2**96 - 1
SECP_X = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
SECP_Y = "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"
SM2_X = "32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7"
SM2_Y = "bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0"
SM2_THUMBPRINT = "cbb023ac4ca734eb403b4c8a06517d08b85dce2010f478da57fb8ac49949d626"
SM2_OTHER_THUMBPRINT = "7a1f2060a9e0773a23abffd04f3e95eebaad7887491552775d3cfac437ef755c"
SM2_SMALL_X = "0000000000000000000000000000000000000000000000000000000000000001"
SM2_SMALL_Y = "9f7a091433a81e3f218f405f792355bf2aa98b5ffa95982f03870800065279a3"
SM2_SMALL_THUMBPRINT = "e0bc05dc0eb1cc2a0bcd8779a95fe47ec2ee3b8ba6aa603342b092126323050c"
"""Of a point with a small x, which another encoding of the same x would fit into 32 bytes."""
RFC_8037_X = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
RFC_8037_THUMBPRINT = "90facafea9b1556698540f70c0117a22ea37bd5cf3ed3c47093c1707282b4b89"
ZERO = "00" * 32
NOBODY = "00" * 20
GENERATOR_ACCOUNT = "7e5f4552091a69125d5dfcb7b8c2659029395bdf"
REFUSED_POINT, REFUSED_FORM = "refused: PredicateFailed", "refused: MalformedInput"


def identity_vectors() -> list[dict]:
    return key_vectors() + list_vectors() + approval_vectors() + append_vectors()


def key_vectors() -> list[dict]:
    cases = [
        ("P-256", 1, P256_X, P256_Y, f"c71d01700fb0328870f1ab580c939eea9786328764946db04470655c732f9743 {NOBODY}"),
        (
            "P-256, y of the other sign",
            1,
            P256_X,
            f"{P256_PRIME - int(P256_Y, 16):064x}",
            f"594bebff7aa13b51e0670433723130bcd60c41cb78e6b0a5cee470e03361ac00 {NOBODY}",
        ),
        ("P-256, off the curve", 1, P256_X, P256_X, REFUSED_POINT),
        ("P-256, x not reduced", 1, "ff" * 32, P256_Y, REFUSED_POINT),
        ("P-256, zero", 1, ZERO, ZERO, REFUSED_POINT),
        (
            "secp256k1",
            2,
            SECP_X,
            SECP_Y,
            f"d8917cbe0f5eb49ce31706709a4be104b2d9d1b7cc55538f8af611e6516d71e7 {GENERATOR_ACCOUNT}",
        ),
        ("secp256k1, off the curve", 2, SECP_X, SECP_X, REFUSED_POINT),
        ("Ed25519 of RFC 8037", 3, RFC_8037_X, ZERO, f"{RFC_8037_THUMBPRINT} {NOBODY}"),
        ("Ed25519 with a y", 3, RFC_8037_X, RFC_8037_X, REFUSED_FORM),
        ("Ed25519, the identity", 3, "01" + "00" * 31, ZERO, REFUSED_POINT),
        (
            "X25519, nine",
            4,
            "09" + "00" * 31,
            ZERO,
            f"9adaf721e29c76fb0363f25fbfd10bd27d35c3d370ed3dfa99448bbff54c76fe {NOBODY}",
        ),
        ("X25519, of small order", 4, "01" + "00" * 31, ZERO, REFUSED_POINT),
        ("an unknown algorithm", 5, P256_X, P256_Y, REFUSED_FORM),
    ]
    return [
        {
            "algorithm": "identity_key",
            "name": f"identity key: {name}",
            "key_algorithm": algorithm,
            "x": x,
            "y": y,
            "expected": expected,
        }
        for name, algorithm, x, y, expected in cases
    ]


def sm2_key_vectors() -> list[dict]:
    """Of rules version 6: keys of SM2, and what that version knows no more than the one before."""
    cases = [
        ("SM2, the generator", 5, SM2_X, SM2_Y, f"{SM2_THUMBPRINT} {NOBODY}"),
        ("SM2, y of the other sign", 5, SM2_X, f"{gm.FIELD_PRIME - int(SM2_Y, 16):064x}", f"{SM2_OTHER_THUMBPRINT} {NOBODY}"),
        ("SM2, off the curve", 5, SM2_X, SM2_X, REFUSED_POINT),
        ("SM2, a point of P-256", 5, P256_X, P256_Y, REFUSED_POINT),
        ("P-256, a point of SM2", 1, SM2_X, SM2_Y, REFUSED_POINT),
        ("SM2, x not reduced", 5, f"{int(SM2_SMALL_X, 16) + gm.FIELD_PRIME:064x}", SM2_SMALL_Y, REFUSED_POINT),
        ("SM2, that x reduced", 5, SM2_SMALL_X, SM2_SMALL_Y, f"{SM2_SMALL_THUMBPRINT} {NOBODY}"),
        ("SM2, y not reduced", 5, SM2_X, "ff" * 32, REFUSED_POINT),
        ("SM2, zero", 5, ZERO, ZERO, REFUSED_POINT),
        ("no algorithm", 0, SM2_X, SM2_Y, REFUSED_FORM),
        ("an algorithm after SM2", 6, SM2_X, SM2_Y, REFUSED_FORM),
    ]  # fmt: skip
    return [
        {
            "algorithm": "identity_key",
            "name": f"identity key of version 6: {name}",
            "rules_version": 6,
            "key_algorithm": algorithm,
            "x": x,
            "y": y,
            "expected": expected,
        }
        for name, algorithm, x, y, expected in cases
    ]


def list_vectors() -> list[dict]:
    shape = TreeShape(1, 1_024)
    octets = bytes([1]) + bytes(127)
    root = list_root(shape, octets)
    after = {0: b"\x03" + bytes(31), 3: bytes(31) + b"\x80"}
    risen = b"\x03" + bytes(126) + b"\x80"
    update = prove_update(shape, octets, after)
    falls = ListUpdate((ChunkChange(0, octets[:32], bytes(32)),), prove_update(shape, octets, {0: bytes(32)}).siblings)
    cases = [
        ("two chunks", update, list_root(shape, risen).hex()),
        ("a bit falls", falls, REFUSED_POINT),
        ("a sibling more", ListUpdate(update.changes, (*update.siblings, bytes(32))), REFUSED_POINT),
        ("out of order", ListUpdate(update.changes[::-1], update.siblings), REFUSED_POINT),
        ("nothing", ListUpdate((), ()), REFUSED_POINT),
    ]
    return [
        {
            "algorithm": "identity_list",
            "name": f"status list: {name}",
            "bits": shape.bits,
            "size": shape.size,
            "root": root.hex(),
            "update": encode_update(shown).hex(),
            "expected": expected,
        }
        for name, shown, expected in cases
    ]


def approval_vectors() -> list[dict]:
    did, call = b"\x11" * 32, b"\x22" * 32
    digest = operation_digest("hutong", Operation(did, 7, 3, call))
    signed = []
    for name in (b"first", b"second"):
        secret = keccak256(name)
        signature = secp256k1.sign_recoverable(secret, digest)
        key = secp256k1.recover_public_key(digest, signature)
        assert key is not None
        signed.append((keccak256(key[1:])[12:].hex(), signature[:64].hex() + f"{27 + signature[64]:02x}"))
    signed.sort()
    accounts, signatures = [account for account, _ in signed], [signature for _, signature in signed]
    cases = [
        ("two accounts", 3, signatures, " ".join(accounts)),
        ("out of order", 3, signatures[::-1], REFUSED_POINT),
        ("one twice", 3, signatures[:1] * 2, REFUSED_POINT),
        ("v of 0", 3, [signatures[0][:-2] + "00"], REFUSED_FORM),
    ]
    return [
        {
            "algorithm": "identity_approval",
            "name": f"approval: {name}",
            "hub": "hutong",
            "did": did.hex(),
            "registered_height": 7,
            "sequence": sequence,
            "call": call.hex(),
            "signatures": shown,
            "expected": expected,
        }
        for name, sequence, shown, expected in cases
    ]


def append_vectors() -> list[dict]:
    leaves = [leaf_hash(b"%d" % number) for number in range(7)]
    first, second = root_of_leaves(leaves[:3]), root_of_leaves(leaves)
    nodes = prove_consistency(leaves, 3).nodes
    cases = [
        ("3 to 7", nodes, second, "accepted"),
        ("another end", nodes, bytes(32), REFUSED_POINT),
        ("a node less", nodes[:-1], second, REFUSED_POINT),
        ("a node more", (*nodes, bytes(32)), second, REFUSED_POINT),
    ]
    return [
        {
            "algorithm": "log_append",
            "name": f"log: {name}",
            "first": 3,
            "second": 7,
            "nodes": [node.hex() for node in shown],
            "first_root": first.hex(),
            "second_root": end.hex(),
            "expected": expected,
        }
        for name, shown, end, expected in cases
    ]
