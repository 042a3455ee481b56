"""Case 23 as an auditor judges it: metered, made and claimed energy, and every forgery of them."""

from dataclasses import replace

import pytest
from eth_abi.abi import encode

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.feeds import Round, feed_id
from hutong.light_clients.ibc.transfer import TransferData, encode_transfer
from hutong.light_clients.interface import Height, MalformedInput, PredicateFailed
from hutong.relay.audit import MissingTrust
from hutong.relay.audit.cases import Shown
from hutong.relay.audit.cases.green_certificates import conclude
from hutong.relay.audit.cases.statements import Fate
from hutong.relay.audit.inquiry import Inquiry
from tests.light_clients.feeds.feed_signers import feed_of
from tests.relay.audit.cases.feed_evidence import CHAINS, SHOWN_AT_S, FeedCase, address, said_message

FEED = feed_of(3, 2)
METERED, CERTIFIED, TOKENS, AWAY_KWH, SOLD = 100, 80, 10, 6, 5
KWH = (30, 40)
LIVE, LEAVING, AWAY, RETIRED = 1, 2, 3, 5
HUB_AT_BUYER = "client-0"
ISSUER = f"0x{address('registry').hex()}"


def local_id(number):
    return (number + 1).to_bytes(32, "big")


def slot_of(chain, number, issuer=ISSUER):
    trace = f"{HUB_AT_BUYER}>{CHAINS['e1'][1]}" if chain == "e2" else ""
    document = keccak256(encode(["string", "string", "bytes32"], [trace, issuer, local_id(number)]))
    return keccak256(document + (1).to_bytes(32, "big"))


def moved(number, kwh, **changes):
    fields = {
        "home": False,
        "trace": "",
        "issuer": ISSUER,
        "local_id": local_id(number),
        "content": kwh.to_bytes(32, "big"),
        "sender": ISSUER,
        "receiver": ISSUER,
        "counters": b"",
    } | changes
    return encode(["(bool,string,string,bytes32,bytes32,string,string,bytes)"], [tuple(fields.values())])


def sold_by(denom=ISSUER, amount=SOLD, port="transfer", **statement):
    value = encode_transfer(TransferData(denom, ISSUER, ISSUER, amount), "application/x-solidity-abi")
    return said_message(value, port, "ics20-1", **statement)


class Certificates:
    """What a run leaves, with what a test changes."""

    def __init__(
        self,
        values=(METERED, METERED + 5),
        kwh=KWH,
        certified=CERTIFIED,
        tokens=TOKENS,
        away=AWAY_KWH,
        sold=SOLD,
        sale=SOLD,
    ):
        case = self.case = FeedCase(
            values={"meter-feed": f"0x{feed_id(FEED).hex()}", "buyer-hub-client": HUB_AT_BUYER},
            contracts=("feed", "registry", "title", "transfer", "voucher"),
        )
        made = case.report("metered", FEED, values, SHOWN_AT_S - 20, "feed-e1")
        for chain in ("p1", "e1"):
            case.stand(f"feed-{chain}", chain, FEED, made)
        for name, slot, number in (("supply", 2, tokens), ("certified", 5, certified)):
            case.states[name] = ("e1", "registry", slot.to_bytes(32, "big"), number.to_bytes(32, "big"))
        kept = keccak256(bytes(12) + address("transfer") + bytes(32))
        case.states["away"] = ("e1", "registry", kept, away.to_bytes(32, "big"))
        case.states["sold"] = ("e2", "voucher", (2).to_bytes(32, "big"), sold.to_bytes(32, "big"))
        self.messages = {"sale": sold_by(amount=sale)}
        for number, energy in enumerate(kwh):
            name = f"move-{number:04}"
            self.messages[name] = said_message(moved(number, energy), "title", "hutong-title-1")
            self.title(f"{name}-e1", "e1", slot_of("e1", number), AWAY)
            self.title(f"{name}-e2", "e2", slot_of("e2", number), RETIRED)

    def title(self, name, chain, slot, state):
        word = (0xB0 << 8 | state).to_bytes(32, "big")
        self.case.states[name] = (chain, "title", slot, word)

    def judged(self, **values):
        statements = {**self.case.shown().statements, **self.messages}
        shown = Shown(dict(sorted(statements.items())))
        return conclude(Inquiry(lambda _: None), shown, self.case.trust(**values))

    def refusal(self, **values):
        with pytest.raises((PredicateFailed, MalformedInput)) as caught:
            self.judged(**values)
        return getattr(caught.value, "predicate", "malformed")


def test_made_for_metered_energy_and_claimed_once():
    assert Certificates().judged() == {
        "metered_kwh": "100",
        "minted_kwh": "90",
        "certified_kwh": "80",
        "sold_kwh": "5",
        "claimed_kwh": "70",
        "claimed": [[local_id(0).hex(), "30"], [local_id(1).hex(), "40"]],
    }
    assert Certificates(certified=90).judged()["minted_kwh"] == "100"
    assert Certificates(certified=70, away=10, sold=10).judged()["sold_kwh"] == "10"


def test_attack_J21_more_made_than_metered_or_claimed_than_made():
    for changed in ({"certified": 91}, {"tokens": 21}, {"certified": 69}, {"values": (-5, 100)}):
        assert Certificates(**changed).refusal() == "made_for_metered_energy", changed


def test_attack_J21_tokens_on_the_buyers_chain_that_nobody_keeps_at_home():
    """Of what is away the registry's chain has as much in custody: else a kWh would be on both."""
    for changed in ({"sold": 7}, {"away": 4}, {"away": 11}, {"sold": 4}, {"sale": 6}):
        assert Certificates(**changed).refusal() == "sold_is_kept_at_home", changed


def test_attack_J21_a_sale_of_another_token_or_one_that_did_not_arrive():
    for changed in ({"denom": "0x" + "22" * 20}, {"port": "gmpport"}, {"fate": Fate.REFUSED}):
        place = Certificates()
        place.messages["sale"] = sold_by(**changed)
        assert place.refusal() == "tokens_moved", changed
    place = Certificates()
    del place.messages["sale"]
    assert place.refusal() == "statement_is_there"


def test_attack_J21_what_was_made_before_the_reading():
    """What was made later for nothing would not be in an older sum; a newer one has it all. And all words are of one block."""
    for height, rule in ((Height(0, 6), "made_is_not_older"), (Height(0, 8), None)):
        place = Certificates()
        found = place.case.shown().statements
        for name in ("supply", "certified", "away"):
            place.messages[name] = replace(found[name], statement=replace(found[name].statement, height=height))
        if rule is None:
            assert place.judged()["minted_kwh"] == "90"
            place.messages["away"] = found["away"]
            rule = "words_are_of_one_block"
        assert place.refusal() == rule


def test_attack_J21_a_certificate_claimed_twice():
    place = Certificates()
    place.messages["move-0001"] = said_message(moved(0, 40), "title", "hutong-title-1")
    for chain, state in (("e1", AWAY), ("e2", RETIRED)):
        place.title(f"move-0001-{chain}", chain, slot_of(chain, 0), state)
    # one place in the state can be shown once: the second statement shows it again
    assert place.refusal() == "claimed_once"


@pytest.mark.parametrize(
    ("chain", "state"), [("e1", LIVE), ("e1", LEAVING), ("e1", RETIRED), ("e2", LIVE), ("e2", AWAY)]
)
def test_attack_J21_a_title_that_is_still_usable(chain, state):
    place = Certificates()
    place.title(f"move-0000-{chain}", chain, slot_of(chain, 0), state)
    assert place.refusal() == "title_is_in_state"


@pytest.mark.parametrize("chain", ["e1", "e2"])
def test_attack_J21_the_state_of_another_title(chain):
    place = Certificates()
    place.title(f"move-0000-{chain}", chain, slot_of(chain, 7), AWAY if chain == "e1" else RETIRED)
    assert place.refusal() == "slot_is_meant"


@pytest.mark.parametrize(
    "changes",
    [{"issuer": "0x" + "22" * 20}, {"home": True}, {"trace": "client-0>bft-evm-1"}],
    ids=lambda one: next(iter(one)),
)
def test_attack_J21_a_title_that_is_no_certificate_of_the_registry(changes):
    place = Certificates()
    place.messages["move-0000"] = said_message(moved(0, 30, **changes), "title", "hutong-title-1")
    assert place.refusal() == "certificate_moved"


def test_attack_J21_a_move_that_did_not_arrive_or_is_none():
    for message in (
        said_message(moved(0, 30), "title", "hutong-title-1", fate=Fate.REFUSED),
        said_message(moved(0, 30), "title", "hutong-title-2"),
        said_message(moved(0, 30), "gmpport", "hutong-title-1"),
    ):
        place = Certificates()
        place.messages["move-0000"] = message
        assert place.refusal() == "certificate_moved"
    place = Certificates()
    place.messages["move-0000"] = said_message(moved(0, 30) + bytes(32), "title", "hutong-title-1")
    assert place.refusal() == "malformed"


def test_attack_J21_another_reading_on_one_of_the_chains():
    for chain in ("p1", "e1"):
        place = Certificates()
        place.case.stand(f"feed-{chain}", chain, FEED, Round(METERED + 50, SHOWN_AT_S - 20, 2))
        assert place.refusal() == "reports_made_what_stands"


def test_attack_J21_another_feed_or_registry_than_the_reader_means():
    assert Certificates().refusal(**{"meter-feed": "0x" + "11" * 32}) in ("slot_is_meant", "report_is_of_the_feed")
    place = Certificates()
    chain, contract, slot, word = place.case.states["certified"]
    place.case.states["certified"] = ("p1", contract, slot, word)
    assert place.refusal() == "slot_is_meant"
    assert Certificates().refusal(**{"buyer-hub-client": "client-1"}) == "slot_is_meant"
    place = Certificates()
    place.case.values = {}
    with pytest.raises(MissingTrust):
        place.judged()


def test_attack_J21_a_move_under_another_name_or_left_out():
    place = Certificates()
    place.messages["move-0002"] = place.messages.pop("move-0001")
    assert place.refusal() == "statements_are_numbered"
    place = Certificates()
    place.messages = {"sale": place.messages["sale"]}
    assert place.refusal() == "statements_are_numbered"
    place = Certificates()
    del place.case.states["supply"]
    assert place.refusal() == "statement_is_there"
