"""Vectors of the self-test for what the storage module judges: placement, seeds, parts that operators sign, answers."""

from dataclasses import replace

from hutong.light_clients.crypto import secp256k1
from hutong.relay.services.storage.rules.audits.answers import RemovedAnswer, encode_answers
from hutong.relay.services.storage.rules.commitments.entries import BatchPart
from hutong.relay.services.storage.rules.lifecycle.signed import OperatorPart, signing_digest
from tests.relay.services.storage.rules.held import drawn_operator, named
from tests.relay.services.storage.rules.spec_vectors import audits, placements

KEY = (1).to_bytes(32, "big")
GENERATOR_ACCOUNT = "7e5f4552091a69125d5dfcb7b8c2659029395bdf"
HUB = named("self-test hub").hex()


def storage_vectors() -> list[dict]:
    return placement_vectors() + seed_vectors() + part_vectors() + answer_vectors()


def placement_vectors() -> list[dict]:
    """By the spec page's own computing."""
    made = placements()
    cases = [("18 operators", made["candidates"], case["group"], case["placed"]) for case in made["placements"]]
    few = made["candidates"][:13]
    vectors = [
        {
            "algorithm": "storage_placement",
            "name": f"placement: {name}, group {group}",
            "candidates": candidates,
            "group": group,
            "expected": " ".join(map(str, placed)),
        }
        for name, candidates, group, placed in cases
    ]
    return [*vectors, vectors[0] | {"name": "placement: 13 operators", "candidates": few, "expected": "refused"}]


def seed_vectors() -> list[dict]:
    made = audits()
    shown = [None if at in made["withheld"] else secret for at, secret in enumerate(made["secrets"])]
    base = {
        "algorithm": "storage_seed",
        "hub": made["hub"],
        "epoch": made["epoch"],
        "header": made["header"],
        "auditors": made["auditors"],
        "commitments": made["commitments"],
    }
    swapped = [shown[2], None, shown[0]]
    return [
        base | {"name": "seed: two of three reveal", "secrets": shown, "expected": f"{made['seed']} 2 of 3"},
        base | {"name": "seed: secrets of others", "secrets": swapped, "expected": "refused: PredicateFailed"},
    ]


def part_vectors() -> list[dict]:
    part = OperatorPart(bytes.fromhex(HUB), named("writer"), 5, named("operator"), BatchPart(12, 3, named("root")))
    signature = secp256k1.sign_recoverable(KEY, signing_digest(part))
    whole = signature[:64] + bytes([signature[64] + 27])
    base = {
        "algorithm": "storage_part",
        "hub": HUB,
        "writer": part.writer.hex(),
        "sequence": part.sequence,
        "operator": part.operator.hex(),
        "leaves": 12,
        "entries": 3,
        "root": part.part.root.hex(),
        "signature": whole.hex(),
        "account": GENERATOR_ACCOUNT,
        "expected": "accepted",
    }
    return [
        base | {"name": "part: signed by its operator"},
        base | {"name": "part: another sequence", "sequence": 6, "expected": "refused: PredicateFailed"},
        base | {"name": "part: no v", "signature": signature.hex(), "expected": "refused: PredicateFailed"},
    ]


def answer_vectors() -> list[dict]:
    operator = drawn_operator("self-test", [[2, 0, 3], [1], [0, 1]])
    challenge = operator.challenge(named("self-test seed"), 4)
    answers = operator.answers(challenge)
    base = {
        "algorithm": "storage_answers",
        "seed": challenge.seed.hex(),
        "operator": operator.id.hex(),
        "root": operator.set.root.hex(),
        "size": operator.set.size,
        "leaves": operator.set.leaves,
        "probes": 4,
        "count": 4,
        "removals": [],
        "answers": encode_answers(answers).hex(),
        "expected": "4 held, 0 removed",
    }
    removed = RemovedAnswer(answers[0].placed)
    entry, batch = removed.placed.entry, removed.placed.log_entry.batch
    recorded = [[batch, entry.pack.hex(), 1 << entry.shard, 9]]
    with_removal = {"count": 1, "answers": encode_answers([removed]).hex()}
    other = replace(answers[0], leaf=bytes(1_024))
    return [
        base | {"name": "answers: four leaves"},
        base | with_removal | {"name": "answers: a removal", "removals": recorded, "expected": "0 held, 1 removed"},
        base | with_removal | {"name": "answers: no removal", "expected": "refused: PredicateFailed"},
        base
        | {
            "name": "answers: another leaf",
            "count": 1,
            "answers": encode_answers([other]).hex(),
            "expected": "refused: PredicateFailed",
        },
        base | {"name": "answers: bytes after", "count": 3, "expected": "refused: MalformedInput"},
    ]
