"""The example contracts of cases on a chain with titles and money: seals of `SCHEMA` are presented to them, and the Mailbox is an
account of the tests."""

from dataclasses import replace

import pytest

from hutong.light_clients.ibc.abi import encode_abi
from hutong.relay.services.identity.rules.seals import Claim, claims_root, gated_call_hash
from hutong.relay.services.identity.rules.seals.acceptance import ACCEPTANCE_TUPLE
from tests.contracts.evm import SENDER, Reverted, type_of
from tests.contracts.identity.gate_lane import HOLDING, INDEX, MAX_AGE_S, SEAL, Shown, account_of, ready
from tests.contracts.title.title_city import deploy_title, text, title_id

MAILBOX, OTHER = b"\x4d" * 20, b"\x66" * 20


class CaseDesk:
    def __init__(self):
        self.world = ready()
        self.evm = self.world.evm
        self.title = deploy_title(self.evm, self.world.lane.manager, self.world.lane.router)
        self.nonces = iter(range(100, 1_000))

    def gate(self, name, *arguments):
        """An example contract, which asks the cache and believes it for MAX_AGE_S."""
        return self.evm.deploy(name, self.world.cache.address, MAX_AGE_S, *arguments)

    def present(self, contract, function, *arguments, shown=None, caller=SENDER):
        """A call with a presentation for it, whose nonce is a new one."""
        entry = contract.function(function, 1 + len(arguments))
        types = tuple(type_of(one) for one in entry["inputs"][1:])
        selector = contract.selector(function, 1 + len(arguments))
        shown = replace(shown or licence(), nonce=next(self.nonces))
        hashed = gated_call_hash(selector, encode_abi(types, arguments))
        members = tuple(self.world.acceptance(shown, hashed, contract.address, caller))
        data = selector + encode_abi((ACCEPTANCE_TUPLE, *types), (members, *arguments))
        return self.evm.send(contract.address, data, sender=caller)

    def mint(self, holder, local_id=bytes(32), content=b"\x51" * 32, counters=(), issuer=SENDER):
        """A title of an issuer's; its id here."""
        self.title.transact("mint", local_id, holder, content, counters, sender=issuer)
        return title_id(issuer=issuer, local_id=local_id)

    def holder(self, document):
        return bytes.fromhex(self.title.call("holderOf", document)[2:])

    def counter(self, document):
        *_, counters = self.title.call("titleOf", document)
        return counters[0][2]


def licence(name="", names=(), index=INDEX, holder=HOLDING, more=()):
    """A seal of the issuer's for whoever is of that name, of which `names` are shown."""
    claims = (Claim("name", name, b"\x01" * 32), *more)
    seal = replace(SEAL, index=index, holder=account_of(holder), claims_root=claims_root(claims))
    return Shown(seal=seal, names=names, claims=claims, holder=holder)


def told(contract, chain, sender, payload, by=MAILBOX):
    """What somebody on another chain says, as the Mailbox brings it."""
    origin = (chain, "bft-evm-1", "gmpport", 1, True)
    return contract.transact("onMessage", origin, text(sender), payload, sender=by)


def refused(call, *arguments, **more):
    """The error with which a call reverts."""
    with pytest.raises(Reverted) as caught:
        call(*arguments, **more)
    return caught.value.name
