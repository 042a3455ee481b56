"""Vectors of the self-test for the directory module."""

from hutong.relay.hub.application.directory.self_test import RUNNERS
from hutong.relay.services.directory.rules.log.operations import encode_logged, encode_operations
from hutong.relay.services.directory.rules.records.facets import EVERYTHING, NO_HEAD, encode_head
from tests.relay.services.directory.rules.log.published import HEALTH, TRAFFIC, Published, put, update, withdraw

GIVEN = (put(1, themes=(TRAFFIC, HEALTH)), update(1, 1, number=2, themes=(HEALTH,), restricted=True), withdraw(1, 2))


def directory_vectors() -> list[dict]:
    return [
        {"algorithm": name.split(":")[0], "name": name.replace("_", " "), **said, "expected": expected(name, said)}
        for name, said in {**operation_vectors(), **head_vectors()}.items()
    ]


def expected(name: str, said: dict) -> str:
    return RUNNERS[name.split(":", maxsplit=1)[0]](said)


def operation_vectors() -> dict[str, dict]:
    good = encode_operations([put(1), update(2, 3), withdraw(3, 1)])
    cases = {
        "good": good,
        "none": b"",
        "cut": good[:-1],
        "twice": encode_operations([put(1), withdraw(1, 1)]),
        "codes fall": encode_operations([put(1)])
        .replace(TRAFFIC, HEALTH + TRAFFIC)
        .replace(b"\x01" + HEALTH, b"\x02" + HEALTH),
        "unknown kind": b"\x04" + good[1:],
    }
    return {f"directory_operations: {name}": {"operations": data.hex()} for name, data in cases.items()}


def head_vectors() -> dict[str, dict]:
    made, found, heads = Published(), {}, [NO_HEAD]
    for one in GIVEN:
        made.publish(one)
        heads.append(made.heads[EVERYTHING])
    for number, one in enumerate(GIVEN):
        standing = None if number == 0 else encode_logged(made.log[number - 1]).hex()
        found[f"directory_head: operation {number}"] = {
            "standing": standing,
            "given": encode_operations([one]).hex(),
            "logged": encode_logged(made.log[number]).hex(),
            "head": encode_head(heads[number]).hex(),
        }
    found["directory_head: of another version"] = found["directory_head: operation 1"] | {
        "given": encode_operations([update(1, 2)]).hex()
    }
    return found
