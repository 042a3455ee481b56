"""What the protocol's test kit wants a connector to do in each of its tests, by the name of the test's data set or agreement.

A script is the steps in order, each for the state in which it is due; they are taken at the operator's door, as a person would.
"""

AGREE, FINALIZE, OFFER = ("REQUESTED", "agree"), ("VERIFIED", "finalize"), ("REQUESTED", "offer")
START, STOP = ("REQUESTED", "start"), ("STARTED", "suspend")
PROVIDED = {
    "CN0101": [OFFER],
    "CN0102": [OFFER, ("REQUESTED", "terminate")],
    "CN0103": [OFFER, ("ACCEPTED", "agree"), FINALIZE],
    "CN0104": [AGREE, FINALIZE],
    "CN0201": [("REQUESTED", "terminate")],
    "CN0202": [],
    "CN0203": [AGREE],
    "CN0204": [OFFER],
    "CN0205": [OFFER, ("OFFERED", "terminate")],
    "CN0206": [OFFER, ("ACCEPTED", "terminate")],
    "CN0207": [AGREE, ("VERIFIED", "terminate")],
    "CN0301": [AGREE, FINALIZE],
    "CN0302": [OFFER],
    "CN0303": [OFFER],
    "CN0304": [OFFER],
}
VERIFY, ACCEPT = ("AGREED", "verify"), ("OFFERED", "accept")
CONSUMED = {
    "CNC0101": [ACCEPT, VERIFY],
    "CNC0102": [("OFFERED", "request")],
    "CNC0103": [("OFFERED", "terminate")],
    "CNC0104": [VERIFY],
    "CNC0201": [],
    "CNC0202": [("REQUESTED", "terminate")],
    "CNC0203": [("AGREED", "terminate")],
    "CNC0204": [],
    "CNC0205": [ACCEPT],
    "CNC0206": [VERIFY],
    "CNC0301": [],
    "CNC0302": [],
    "CNC0303": [],
    "CNC0304": [ACCEPT],
    "CNC0305": [ACCEPT],
    "CNC0306": [ACCEPT],
}
TERMINATE, COMPLETE = ("STARTED", "terminate"), ("STARTED", "complete")
SUSPENDED_END, RESUME = ("SUSPENDED", "terminate"), ("SUSPENDED", "start")
TRANSFERRED = {
    "TP0101": [START, TERMINATE],
    "TP0102": [START, COMPLETE],
    "TP0103": [START, STOP, SUSPENDED_END],
    "TP0104": [START, STOP, RESUME, COMPLETE],
    "TP0105": [("REQUESTED", "terminate")],
    **{f"TP020{n}": [START] for n in (1, 2, 3, 4)},
    "TP0205": [],
    "TP0301": [],
    "TP0302": [],
    **{f"TP030{n}": [START] for n in (3, 4, 5, 6)},
    **{f"TPC010{n}": [] for n in (1, 2, 3, 4, 5)},
    "TPC0201": [TERMINATE],
    "TPC0202": [COMPLETE],
    "TPC0203": [STOP, SUSPENDED_END],
    "TPC0204": [STOP, RESUME, COMPLETE],
    "TPC0205": [("REQUESTED", "terminate")],
    **{f"TPC030{n}": [] for n in (1, 2, 3, 4, 5, 6)},
}


def setting(name: str) -> str:
    """The kit's own spelling: CN0101 is CN_01_01, TPC0203 is TP_C_02_03."""
    kind, numbers = name[:-4], name[-4:]
    return f"{kind[:2]}{'_C' if kind.endswith('C') else ''}_{numbers[:2]}_{numbers[2:]}"


def offer_of(dataset: str) -> str:
    return f"urn:offer:{dataset}"
