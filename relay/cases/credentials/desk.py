"""A desk on a chain at which credentials are presented: its cache of the hub's records, and acceptances as contracts take them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from eth_abi.abi import encode
from eth_account.signers.local import LocalAccount
from eth_utils.abi import function_abi_to_4byte_selector
from web3 import Web3
from web3.contract import Contract

from hutong.relay.cases.case import CaseRun
from hutong.relay.cases.chain import CaseChain
from hutong.relay.cases.city_file import CaseBrokeOff, City
from hutong.relay.cases.credentials.seals import Presented, SealedCredential
from hutong.relay.cases.organisation import LIST, Organisation
from hutong.relay.sdk import hub_reader, identity

MAX_AGE_S = 15
"""Of what a desk knows of the hub: so late it may learn of a revocation."""
PRESENTED_S, WAIT_S, GAS = 7_200, 300, 1_500_000
STALE = ("StaleList", "StaleIssuer", "ListNotSynced", "IssuerNotSynced", "ListOfPastEpoch", "IssuerOfPastEpoch")
"""Refusals of a desk that knows too little, or nothing new enough: what it is asked may be asked again."""
NO_LOG: tuple[bytes, bytes, int, list[bytes]] = (bytes(32), bytes(32), 0, [])


@dataclass(frozen=True)
class Desk:
    """`cache` is on `chain`, where `clerk` pays for showing it records."""

    city: City
    chain: CaseChain
    cache: Contract
    clerk: LocalAccount

    @classmethod
    def open(cls, city: City, chain: CaseChain, clerk: LocalAccount) -> "Desk":
        """With a new cache."""
        return cls(
            city, chain, chain.deploy(clerk, "IdentityCache", chain.contracts["router"], chain.client_of_hub), clerk
        )

    def keys(self, issuer: Organisation) -> list[str]:
        """Of all records that the cache asks for of an issuer, in its order: DID, key, epoch, list, accreditations with DIDs."""
        root = identity.parse_did(self.city.document["identity"]["root"])[1]
        of = identity
        own = [of.did_key(issuer.id), of.key_key(issuer.id, issuer.thumbprint), of.epoch_key(issuer.id)]
        chain = [
            of.accreditation_key(issuer.id, of.ANY_SCHEMA),
            of.did_key(root),
            of.accreditation_key(root, of.ANY_SCHEMA),
        ]
        return [*own, of.list_key(issuer.id, LIST), *chain]

    def sync(self, run: CaseRun, issuer: Organisation, *, accredited: bool = True) -> None:
        """Bring the chain's client of the hub to the newest header, and show the cache what the hub says of an issuer there.

        Args:
            accredited: false where the issuer's own accreditation is known not to hold: nothing above it is shown.
        """
        self.city.operator.update_client(self.chain.name)
        wanted = self.keys(issuer)[: 7 if accredited else 5]
        shown = hub_reader.arguments_of(self.city.api.reads(self.chain.name, wanted))
        places = [[key for key, _ in shown.records].index(bytes.fromhex(one[2:])) for one in wanted]
        query = (issuer.id, identity.ANY_SCHEMA, issuer.thumbprint, [LIST])
        call = self.cache.functions.sync(query, list(shown.records), places, shown.proof[1], shown.height)
        run.paid(self.chain.call(self.clerk, call))

    def present(
        self,
        credential: SealedCredential,
        issuer: Organisation,
        names: Sequence[str],
        asked: "Asked",
    ) -> Presented:
        """A presentation of chosen claims to a gate on the chain, for one call."""
        said = {
            "caller": asked.caller.address,
            "nonce": asked.nonce,
            "deadline": self.chain.time_s() + PRESENTED_S,
            "call": asked.hash,
        }
        chunk, siblings = issuer.status_path(int(credential.said["index"]))
        return Presented(credential, tuple(names), asked.gate.address, self.chain.chain_id, said, chunk, siblings)

    def accepted(self, run: CaseRun, issuer: Organisation, caller: LocalAccount, make: Callable[[], Any]) -> Any:
        """Show the cache what is new of the issuer and send the call, again while the gate finds that too old. The receipt.

        Args:
            make: the bound call, anew each time.

        Raises:
            CaseBrokeOff: the gate refuses it for another reason, or never knew enough in time.
        """
        receipts: list[Any] = []

        def tried() -> bool:
            call = make()
            refused = self.refused(run, issuer, caller, call)
            if refused is not None:
                raise CaseBrokeOff(f"{self.chain.name}: {call.fn_name} was refused: {refused}")
            (receipt,) = self.chain.receipts([self.chain.send(caller, call, GAS)])
            receipts.extend([receipt] if receipt["status"] == 1 else [])
            return bool(receipts)

        self.city.until(f"{self.chain.name} accepts a credential", tried, WAIT_S)
        run.paid(*receipts)
        return receipts[0]

    def refused(
        self, run: CaseRun, issuer: Organisation, caller: LocalAccount, call: Any, *, accredited: bool = True
    ) -> str | None:
        """What the gate says to the call; None where it takes it. It is told what is new where what it knows is too old."""
        found = [self.chain.refusal(caller, call)]

        def asked() -> bool:
            if found[-1] not in STALE:
                return True
            self.sync(run, issuer, accredited=accredited)
            found.append(self.chain.refusal(caller, call))
            return found[-1] not in STALE

        self.city.until(f"{self.chain.name} knows what is new", asked, WAIT_S)
        return found[-1]

    def records(self, issuer: Organisation) -> bytes:
        """A record bundle of all that an auditor asks of an issuer, under one header of the hub."""
        more = [f"0x{(b'identity/policy/' + issuer.id).hex()}"]
        more += [identity.key_key(issuer.id, one) for one in issuer.thumbprints]
        wanted = sorted({*self.keys(issuer), *more})
        return self.city.operator.prove_records([bytes.fromhex(one[2:]) for one in wanted])


@dataclass(frozen=True)
class Asked:
    """A call of a gate for which a credential is presented: its other arguments by their types, who calls, and a nonce of the
    holder's."""

    gate: Contract
    function: str
    types: tuple[str, ...]
    arguments: tuple[Any, ...]
    caller: LocalAccount
    nonce: int = 1

    @property
    def hash(self) -> bytes:
        """What the holder signs of it: selector and arguments after the acceptance."""
        selector = function_abi_to_4byte_selector(self.gate.get_function_by_name(self.function).abi)
        return bytes(Web3.keccak(selector + encode(self.types, self.arguments)))

    def call(self, acceptance: tuple[Any, ...]) -> Any:
        """The bound call."""
        return self.gate.functions[self.function](acceptance, *self.arguments)


def acceptance(presented: Presented, issuer: Organisation, **changed: Any) -> tuple[Any, ...]:
    """The struct `Acceptance`; `changed` are members that are not as they should be."""
    credential = presented.credential
    said: Mapping[str, Any] = {
        "seal": credential.members,
        "sealKey": issuer.thumbprint,
        "signature": credential.signature,
        "disclosures": credential.disclose(*presented.shown),
        "chunk": presented.chunk,
        "statusPath": list(presented.siblings),
        "log": NO_LOG,
        "nonce": presented.said["nonce"],
        "deadline": presented.said["deadline"],
        "holderSignature": presented.signature,
    }
    return tuple({**said, **changed}.values())


def schema_of(name: str) -> bytes:
    """The SHA-256 that stands for a schema's file."""
    return sha256(name.encode()).digest()


def changed_s(city: City, issuer: Organisation) -> int:
    """When the hub last took back something of an issuer, Unix seconds of its block."""
    value = city.api.record(identity.epoch_key(issuer.id)).value
    # version, then epoch, height and time
    return int(value[-64:], 16) if value else 0
