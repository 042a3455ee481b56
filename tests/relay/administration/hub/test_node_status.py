"""A hub node's report of itself in words."""

import json

from hutong.relay.administration.hub.node_status import report_in_words
from hutong.relay.hub.network.link.node_key import new_node_key


def test_status_says_who_is_away_and_why():
    key = new_node_key()
    report = {
        "chainId": "hutong-1",
        "nodeId": key.node_id,
        "height": 4,
        "round": 2,
        "step": "prevote",
        "sinceLastBlockMs": 61_500,
        "whyNoBlock": "no block 5: …",
        "validators": [
            {"address": "0xaa", "power": 10, "isThisNode": True, "peer": None},
            {"address": "0xbb", "power": 10, "isThisNode": False, "peer": None},
        ],
        "peers": [
            {
                "id": "ab",
                "address": "h:1",
                "connected": True,
                "height": 4,
                "points": 3,
                "sentAwayForMs": 0,
                "reason": "",
            },
            {
                "id": "cd",
                "address": "h:2",
                "connected": False,
                "height": None,
                "points": 0,
                "sentAwayForMs": 9_000,
                "reason": "flood",
            },
            {
                "id": "ef",
                "address": "h:3",
                "connected": False,
                "height": None,
                "points": 0,
                "sentAwayForMs": 0,
                "reason": "refused",
            },
        ],
    }
    json.dumps(report)
    used = {"usedBytes": hex(9 * 1024**3), "mostBytes": hex(10 * 1024**3), "alarm": True}
    assert [*report_in_words(report | {"database": used})] == [
        "hub hutong-1 at height 4, 61.5 s ago; round 2, prevote",
        f"node {key.node_id}",
        "validator 0xaa power 10: this node",
        "validator 0xbb power 10: away",
        "peer ab@h:1: height 4, 3 points",
        "peer cd@h:2: sent away for 9 s: flood",
        "peer ef@h:3: not connected: refused",
        "database 9.00 of 10.00 GiB: it fills up (docs/member/pruning.md)",
        "no block 5: …",
    ]


def test_status_says_whether_the_signer_is_there():
    report = {
        "chainId": "hutong-1", "height": 1, "sinceLastBlockMs": 1, "round": 0, "step": "propose", "nodeId": "11" * 20,
        "validators": [], "peers": [], "whyNoBlock": None, "database": {"usedBytes": "0x0", "mostBytes": "0x1", "alarm": False},
    }  # fmt: skip
    assert "signer" not in "\n".join(report_in_words(report | {"signer": None}))
    row = {"id": "22" * 20, "address": "127.0.0.1:1", "connected": True, "reason": ""}
    assert f"signer {'22' * 20}@127.0.0.1:1: connected" in report_in_words(report | {"signer": row})
    away = row | {"connected": False, "reason": "Connection refused"}
    said = f"signer {'22' * 20}@127.0.0.1:1: away, nothing is signed: Connection refused"
    assert said in report_in_words(report | {"signer": away})
