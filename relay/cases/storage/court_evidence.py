"""Case 19, government: a recording of the police with a log, for a court on p1 and a defence on e1, in trusted storage."""

import json
from hashlib import sha256
from time import time

import httpx

from hutong.relay.cases.case import Case, CaseRun, Sizes
from hutong.relay.cases.city_file import City
from hutong.relay.cases.cold_chain import append
from hutong.relay.cases.operator import StorageNetwork
from hutong.relay.cases.storage.court_orders import CourtOrders
from hutong.relay.cases.storage.exhibit import (
    BUCKET,
    Exhibit,
    anchored_at_s,
    beacon,
    fails,
    flip_a_bit,
    reads_whole,
    seed_to_come,
    store,
)
from hutong.relay.cases.storage.object_door import ObjectDoor
from hutong.relay.cases.storage.presigned import link
from hutong.relay.cases.storage.recording import Recording

SMALL, WHOLE, WHOLE_MIB = (2, 4), (10, 4), 1_024
"""Codes, and from which size on the 14 operators of the second run. Four of both may be lost."""
REPORT = b"written before the camera was started"
HOUR_S = 3_600
LOSSES = 4


def handed_out(run: CaseRun, network: StorageNetwork, exhibit: Exhibit) -> None:
    """What the custodian gives under the order: a link, which opens this exhibit for a while, and nothing else."""

    def asked(url: str) -> int:
        with httpx.Client(timeout=HOUR_S, trust_env=False) as client, client.stream("GET", url) as answer:
            return answer.status_code

    now_s = int(time())
    good = link(network.url, network.s3_keys, exhibit.path, now_s, HOUR_S)
    over = link(network.url, network.s3_keys, exhibit.path, now_s - HOUR_S, 1)
    run.check("the defence reads by what it was handed", asked(good) == httpx.codes.OK)
    bare, other = asked(f"{network.url}{exhibit.path}"), asked(good.replace(exhibit.key, f"other-{exhibit.key}"))
    run.refused("a reader without it, and with it another exhibit", {bare, other} == {403}, f"{bare}, {other}")
    run.refused("what was handed out, after its time", asked(over) == httpx.codes.FORBIDDEN)


def lose_operators(run: CaseRun, network: StorageNetwork, door: ObjectDoor, exhibit: Exhibit) -> None:
    """Four operators are lost, a fifth as well; then they are back, and one of them holds a flipped bit."""
    lost = range(LOSSES)
    for number in lost:
        network.lose(number)
    run.check(f"{LOSSES} of {len(network.operators)} operators lost, all is read", reads_whole(door, exhibit))
    network.lose(LOSSES)
    ended = fails(door, exhibit.key)
    run.refused("a read with a fifth operator lost", bool(ended), ended)
    network.bring_back(*lost, LOSSES)
    flip_a_bit(network, 0)
    found = network.scrub(0)
    run.check(
        "a bit flipped on an operator's disk is named by its scrub", "root" in found or "span" in found, found[-90:]
    )
    run.check("what is read is right beside it", reads_whole(door, exhibit))
    flip_a_bit(network, 0)  # back, for whoever uses the operators next


def run(city: City, mib: int, run: CaseRun) -> None:
    """Record, store, anchor twice, order and release; then lose operators, a chain, and a bit."""
    p1, e1 = city.chain("p1"), city.chain("e1")
    court, police, defence, stranger = (city.person(number) for number in range(5, 9))
    before_s = p1.time_s()
    with city.operator.storage(*(WHOLE if mib >= WHOLE_MIB else SMALL)) as network:
        door = ObjectDoor(network, BUCKET)
        door.make_bucket()
        epoch = seed_to_come(city, run)
        # without a batch the hub draws no seed: a first object is the report on paper
        door.put(f"report-{before_s}", [REPORT], sha256(REPORT).digest(), before_s + HOUR_S)
        recording = Recording(beacon(city, run, epoch), mib)
        exhibit = store(door, recording, f"camera-{before_s}", before_s + 24 * HOUR_S)
        run.check("the recording is stored", reads_whole(door, exhibit), f"{mib} MiB, {exhibit.object_id}")
        removed = door.remove(exhibit.key)
        run.refused("its removal before its time", removed == httpx.codes.FORBIDDEN, removed)
        places = append(city, [exhibit.record])
        run.check("the police's log has its record", len(places) == 1, f"entry {places[0]}")

        anchors = [(chain, exhibit.anchor(run, chain, police, before_s)) for chain in (p1, e1)]
        piece = recording.pieces // 2
        flipped = bytes([recording.piece(piece)[0] ^ 1]) + recording.piece(piece)[1:]
        for chain, index in anchors:
            whole = exhibit.includes(chain, police, index, piece, recording.piece(piece))
            run.check(f"each piece is under its root on {chain.name}", whole, f"piece {piece}")
            found = not exhibit.includes(chain, police, index, piece, flipped)
            run.refused(f"one flipped bit, by {chain.name}", found, f"piece {piece}")
            again = chain.app("anchor", "IAnchor").functions.anchor(bytes(32)[1:] + b"\1", 1, before_s, before_s + 1)
            late = chain.refusal(police, again)
            run.refused(f"another root for the same time on {chain.name}", late == "WindowGoesBack", late)
        orders = CourtOrders.opened(p1, court, police)
        orders.released_to(run, exhibit.record, defence, stranger)
        handed_out(run, network, exhibit)
        lose_operators(run, network, door, exhibit)
    with city.operator.without("p1"):
        exhibit.state(run, city, e1, police, anchors[1][1])
        run.check("with the court's chain lost, the defence's shows the anchor", True)
    exhibit.state(run, city, p1, police, anchors[0][1])
    run.evidence.people |= {"police": police.address}
    run.evidence.conclusion = {
        "exhibit": json.loads(exhibit.record),
        "not_before_s": run.evidence.time_of("beacon-before"),
        "not_after_s": min(anchored_at_s(chain, police, index) for chain, index in anchors),
        "anchored_on": ["e1", "p1"],
        "accesses": orders.state(run, city),
    }


CASE = Case(
    19,
    "court-evidence",
    "Evidence for a court",
    Sizes("MiB", 8, 5_120, "each MiB crosses eight processes, beside the chains"),
    run,
)
