"""Case 8, AI: a lab's model that an office approved on p1, its weights in trusted storage, a hospital's receipts on e2."""

import json
import secrets
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any

from eth_account.signers.local import LocalAccount
from web3.contract import Contract

from hutong.relay.cases.anchoring import anchored, root_and_paths, slots_of
from hutong.relay.cases.case import Case, CaseRun, Sizes
from hutong.relay.cases.city_file import City
from hutong.relay.cases.credentials.desk import MAX_AGE_S, Asked, Desk, acceptance, schema_of
from hutong.relay.cases.credentials.evidence import mapping_slot, state_credential
from hutong.relay.cases.credentials.seals import Presented, SealedCredential, issue
from hutong.relay.cases.organisation import Organisation
from hutong.relay.cases.storage.audited import lose_and_repair
from hutong.relay.cases.storage.inference import Receipt, answer, receipts_of, weights_of
from hutong.relay.cases.storage.object_door import ObjectDoor

SCHEMA, OFFICE, VALID_S, CODE, BATCH, MODELS_SLOT, HOUR_S = schema_of("model-1"), "office", 10**8, (2, 4), 100, 1, 3_600


@dataclass(frozen=True)
class Lab:
    """It registers models on p1 under approvals of the office."""

    desk: Desk
    models: Contract
    account: LocalAccount

    def present(self, approval: SealedCredential, by: Organisation, nonce: int = 1) -> Presented:
        """An approval, for its registration."""
        asked = Asked(self.models, "register", (), (), self.account, nonce)
        return self.desk.present(approval, by, ("weights",), asked)

    def call(self, presented: Presented, by: Organisation, **changed: Any) -> Any:
        """The registration; `changed` are members that are not as they should be."""
        return self.models.functions.register(acceptance(presented, by, **changed))


def registered(run: CaseRun, lab: Lab, by: Organisation, weights: bytes) -> tuple[SealedCredential, list[Presented]]:
    """A model that the office approves and the lab registers; its approval, and how it was presented at last."""
    claims = {"weights": sha256(weights).hexdigest()}
    approval = issue(by, SCHEMA, by.free_index(), claims, lab.desk.chain.time_s() + VALID_S)
    shown: list[Presented] = []

    def ask() -> Any:
        shown[:] = [lab.present(approval, by)]
        return lab.call(shown[0], by)

    lab.desk.accepted(run, by, lab.account, ask)
    return approval, shown


def loaded(door: ObjectDoor, key: str) -> bytes:
    """Weights as the hospital gets them."""
    with door.read(key) as octets:
        return b"".join(octets)


def anchor_receipts(run: CaseRun, city: City, hospital: LocalAccount, receipts: list[Receipt]) -> None:
    """In batches, each over a second of its own; the last of the first batch, and of the last one, are stated."""
    e2 = city.chain("e2")
    book = e2.deploy(hospital, "Anchor")
    batches = [[one.leaf for one in receipts[at : at + BATCH]] for at in range(0, len(receipts), BATCH)]
    from_s = e2.time_s() - len(batches)
    for number, leaves in enumerate(batches):
        anchored(run, e2, book, hospital, leaves, (from_s + number, from_s + number + 1))
    run.check(
        "all receipts are anchored", book.functions.countOf(hospital.address).call() == len(batches), len(receipts)
    )
    _, paths = root_and_paths(batches[0])
    place = len(batches[0]) - 1
    includes = partial(book.functions.includes, hospital.address, 0)
    run.check("one receipt is proven", includes(batches[0][place], place, paths[place]).call())
    forged = receipts[place].leaf.replace(b'"time_s":', b'"time_s":1')
    run.refused("a receipt with another time", not includes(forged, place, paths[place]).call())
    slots = [slot for number in range(len(batches)) for slot in slots_of(hospital.address, number)]
    bundle = city.operator.prove("e2", book.address, slots)
    for at, slot in enumerate(slots):
        part = ("root", "window")[at % 2]
        run.evidence.own_slot(f"batch-{at // 2:04}-{part}", book.address, slot, bundle, e2.time_s)
    for name, batch in (("receipt", 0), ("flagged", len(batches) - 1)):
        leaves, last = batches[batch], len(batches[batch]) - 1
        path = root_and_paths(leaves)[1][last]
        run.evidence.entry(name, leaves[last], path, (last, len(leaves)), f"batch-{batch:04}-root")
    run.evidence.contract("e2", "receipts", book.address)


def run(city: City, count: int, run: CaseRun) -> None:
    """Approve two versions, answer by both, withdraw one; lose the weights' shards at an operator, and repair them."""
    p1, lab_account, hospital = city.chain("p1"), city.person(1), city.person(2)
    office, desk = city.operator.organisation(OFFICE), Desk.open(city, p1, lab_account)
    lab = Lab(desk, p1.deploy(lab_account, "ExampleModels", desk.cache.address, MAX_AGE_S, SCHEMA), lab_account)
    old, new, batches = weights_of(1), weights_of(2), count // BATCH
    (withdrawn, _), (approved, shown) = (registered(run, lab, office, weights) for weights in (old, new))
    ((salt, key, kind, _, path),) = approved.disclose("weights")
    forged = [(salt, key, kind, sha256(b"mine").hexdigest().encode(), path)]
    said = desk.refused(
        run, office, lab_account, lab.call(lab.present(approved, office, 2), office, disclosures=forged)
    )
    run.refused("other weights under the approval", said == "ClaimNotSealed", said)
    state_credential(run, city, "approved", desk.records(office), shown[0])
    with city.operator.storage(*CODE) as network:
        door, name = ObjectDoor(network, "models"), secrets.token_hex(4)
        door.make_bucket()
        altered = new[:-1] + bytes([new[-1] ^ 1])
        stored = [
            door.put(f"{name}-{key}", [octets], sha256(octets).digest(), p1.time_s() + HOUR_S)["id"]
            for key, octets in (("2", new), ("altered", altered))
        ]
        got, other = loaded(door, f"{name}-2"), loaded(door, f"{name}-altered")
        run.check("the hospital loads the approved weights", sha256(got).hexdigest() == approved.claims["weights"])
        differs = stored[0] != stored[1] and sha256(other).hexdigest() != approved.claims["weights"]
        run.refused("altered weights, by their content address", differs, stored[1][-8:])
        now_s, digests = city.chain("e2").time_s(), [one.digest.hex() for one in (approved, withdrawn)]
        receipts = [*receipts_of(got, digests[0], (batches - 1) * BATCH, 0, now_s)]
        receipts += receipts_of(old, digests[1], count - len(receipts), len(receipts), now_s)
        same = all(one.score == answer(new, one.patient) for one in receipts[:BATCH])
        run.check("who has the weights finds the same answers", same)
        anchor_receipts(run, city, hospital, receipts)
        lose_and_repair(city, run, network)
    later = city.operator.revoke(OFFICE, int(withdrawn.said["index"]))
    desk.sync(run, later)
    presented = lab.present(withdrawn, later, 3)
    said = desk.refused(run, later, lab_account, lab.call(presented, later))
    run.refused("a withdrawn version", said == "CredentialRevoked", said)
    state_credential(run, city, "withdrawn", desk.records(later), presented, "status_is_valid")
    slot = mapping_slot(approved.digest, MODELS_SLOT)
    bundle = city.operator.prove("p1", lab.models.address, [slot])
    run.evidence.own_slot("model", lab.models.address, slot, bundle, p1.time_s)
    run.evidence.contract("p1", "models", lab.models.address)
    run.evidence.people["hospital"] = hospital.address
    run.evidence.values |= {"office": office.did, "schema": SCHEMA.hex()}
    conclusion = {
        "receipts": count,
        "weights": approved.claims["weights"],
        "proven": json.loads(receipts[BATCH - 1].leaf),
    }
    run.evidence.conclusion = conclusion | {"flagged": json.loads(receipts[-1].leaf), "repaired": True}


CASE = Case(8, "model-receipts", "Approved model, inference receipts", Sizes("receipts", 500, 10_000), run)
