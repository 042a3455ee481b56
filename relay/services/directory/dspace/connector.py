"""What a connector does with a message that it is sent, and with a step that its operator or its rules take.

Every change is one transaction with the message that tells the counterparty of it, so that a killed process goes on where it was.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import VERIFY, MalformedInput, PredicateFailed, VerificationError
from hutong.relay.services.directory.dspace.catalogue import Catalogue, agreement_under, with_assigner
from hutong.relay.services.directory.dspace.participants import Participant, address_is_of_the_participant
from hutong.relay.services.directory.dspace.process import HeldAgreement, Outgoing, Process
from hutong.relay.services.directory.dspace.store import Rows
from hutong.relay.services.directory.rules.dspace.machines import judge_step
from hutong.relay.services.directory.rules.dspace.messages import Message
from hutong.relay.services.directory.rules.dspace.vocabulary import Kind, Role, State
from hutong.relay.services.directory.rules.dspace.writing import encode, message, pids_of
from hutong.relay.services.directory.rules.policy.policy import Policy
from hutong.relay.services.directory.rules.policy.reading import policy_of
from hutong.relay.services.directory.rules.policy.refining import judge_refinement
from hutong.relay.services.directory.rules.policy.vocabulary import PROFILE
from hutong.relay.services.identity.rules.jcs import canonical_json
from hutong.relay.services.identity.rules.jose.strict_json import JsonObject, JsonValue, read_json_object

PATHS: Final = {
    Kind.REQUEST: "negotiations/{}/request",
    Kind.OFFER: "negotiations/{}/offers",
    Kind.ACCEPTED: "negotiations/{}/events",
    Kind.AGREEMENT: "negotiations/{}/agreement",
    Kind.VERIFICATION: "negotiations/{}/agreement/verification",
    Kind.FINALIZED: "negotiations/{}/events",
    Kind.TERMINATION: "negotiations/{}/termination",
    Kind.TRANSFER_START: "transfers/{}/start",
    Kind.TRANSFER_SUSPENSION: "transfers/{}/suspension",
    Kind.TRANSFER_COMPLETION: "transfers/{}/completion",
    Kind.TRANSFER_TERMINATION: "transfers/{}/termination",
}
MAX_OPEN: Final = 1_000
"""Negotiations and transfers with one participant that nobody has decided on: all of them are looked at when one changes."""
FIRST_PATHS: Final = {Kind.REQUEST: "negotiations/request", Kind.TRANSFER_REQUEST: "transfers/request"}


class Unknown(Exception):
    """There is no such process, data set or agreement for whoever asks; one sentence."""


class Busy(Exception):
    """What a participant began before has to end first; one sentence. It is tried again."""


class Refused(Exception):
    """A message or a step that is not taken; `process` is where it would have been, `rule` its name for programs."""

    def __init__(self, rule: str, sentence: str, process: Process | None = None) -> None:
        self.rule = rule
        self.process = process
        super().__init__(sentence)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a step says beside its kind. `despite` names a rule that the operator passes over with open eyes."""

    data_address: JsonObject | None = None
    offer: JsonObject | None = None
    code: str | None = None
    reasons: tuple[str, ...] = ()
    despite: str | None = None


class Connector:
    """The steps, as transactions on `Rows`.

    Args:
        participant_id: who we are.
        endpoint: the address of our end points, which counterparties send to.
        catalogue: gives what is offered now.
        now_ms: Unix time.
    """

    def __init__(
        self, participant_id: str, endpoint: str, catalogue: Callable[[], Catalogue], now_ms: Callable[[], int]
    ) -> None:
        self.participant_id = participant_id
        self.endpoint = endpoint
        self.catalogue = catalogue
        self.now_ms = now_ms

    def receive(self, rows: Rows, sender: Participant, one: Message, pid: str | None) -> Process:
        """A message of a counterparty.

        Args:
            pid: our identifier, of the address that it came to; None where it begins a process.

        Raises:
            Unknown: there is no such process with this counterparty.
            Refused: it may not come now, or says what does not fit.
            Busy: too many of the sender's processes are open for another one.
        """
        if pid is None:
            return self._begun(rows, sender, one)
        process = rows.process(pid)
        if process is None or process.participant != sender.id or process.is_transfer is not one.kind.is_of_a_transfer:
            raise Unknown(f"there is no process {pid[:80]}")
        theirs = one.provider_pid if process.role is Role.CONSUMER else one.consumer_pid
        own = one.consumer_pid if process.role is Role.CONSUMER else one.provider_pid
        if own not in (None, pid) or (process.their_pid is not None and theirs not in (None, process.their_pid)):
            raise Refused("identifiers_are_of_the_process", "another process is named in the message", process)
        if process.their_pid is None and theirs is not None and rows.is_taken(process, theirs):
            raise Refused("identifiers_are_used_once", f"{theirs[:80]} names another process", process)
        state = _after(one.kind, process.role.other, process)
        changed = self._taken(rows, process.at(state, their_pid=process.their_pid or theirs), one)
        if state is State.FINALIZED:
            self._hold(rows, changed)
        if state.is_final:
            rows.forget(pid)
        return rows.put(changed)

    def _begun(self, rows: Rows, sender: Participant, one: Message) -> Process:
        is_transfer = one.kind is Kind.TRANSFER_REQUEST
        role = Role.CONSUMER if one.kind is Kind.OFFER else Role.PROVIDER
        their_pid = one.provider_pid if role is Role.CONSUMER else one.consumer_pid
        if their_pid is None or one.callback is None:
            raise Refused("a_first_message_says_where_to_answer", "it has no identifier or no callbackAddress")
        known = rows.process_of(sender.id, their_pid, role, is_transfer=is_transfer)
        if known is not None:
            # The answer to the first one was lost. It is the same only where it says the same.
            if known.first == _asked_first(one):
                return known
            raise Refused("identifiers_are_used_once", f"{their_pid[:80]} names another process", known)
        if rows.open_with(sender.id) >= MAX_OPEN:
            raise Busy(f"{MAX_OPEN} processes of yours are open; begin others when they have ended")
        state = _after(one.kind, role.other, None)
        process = Process(
            _new_pid(), is_transfer, role, sender.id, state, one.callback, their_pid, first=_asked_first(one)
        )
        try:
            address_is_of_the_participant(one.callback, sender)
        except PredicateFailed as error:
            raise Refused(error.predicate, f"callbackAddress {error.reason}", process) from None
        if is_transfer:
            held = rows.agreement(one.agreement_id or "")
            if held is None or held.participant != sender.id or held.role is not Role.PROVIDER:
                raise Unknown(f"there is no agreement {str(one.agreement_id)[:80]} with this participant")
            changes = {"agreement_id": held.id, "format": one.format, "data_address": one.data_address}
            return rows.put(replace(process, **changes))  # type: ignore[arg-type]  # each of its member's type
        return rows.put(self._taken(rows, process, one))

    def _taken(self, rows: Rows, process: Process, one: Message) -> Process:
        """The process with what a message says, and what is to be thought of it."""
        if one.offer is not None:
            if process.role is Role.PROVIDER:
                named = process if process.named_offer else replace(process, offer=one.offer)
                published = self.offer_of(named)
                judged = self._asked_for(one.offer, published)
                return replace(process, offer=one.offer, named_offer=published.id, judged=judged)
            return replace(process, offer=one.offer, judged=_differs(process.offer, one.offer))
        if one.agreement is not None:
            name = str(one.agreement["@id"])
            if rows.agreement_is_of_another(name, process.pid):
                raise Refused("agreements_have_names_of_their_own", f"agreement {name[:80]} is there already", process)
            judged = self._downgraded(process, one.agreement)
            return replace(process, agreement=one.agreement, agreement_id=name, judged=judged)
        if one.kind is Kind.FINALIZED:
            return replace(process, record=one.record)
        if one.kind in (Kind.TERMINATION, Kind.TRANSFER_TERMINATION, Kind.TRANSFER_SUSPENSION):
            return replace(process, note="; ".join(filter(None, (one.code, *one.reasons)))[:1_000] or None)
        if one.data_address is not None:
            return replace(process, data_address=one.data_address)
        return process

    def _asked_for(self, offer: JsonObject, published: Policy) -> str | None:
        """Why what a consumer asks for is not what we offer. What is agreed to is our offer, whatever the request spells."""
        members = {"profile": PROFILE, "target": published.target, "assigner": self.participant_id, **offer}
        try:
            asked = policy_of(members)
        except MalformedInput as error:
            return f"is_of_the_profile: {error}"[:1_000]
        return None if asked.hash == published.hash else "is_what_was_offered: it asks for other terms"

    def offer_of(self, process: Process) -> Policy:
        """Our offer that a negotiation is about, as it is published now.

        Raises:
            Unknown: there is none, or it is not for this participant.
        """
        offer = process.offer or {}
        target, name = offer.get("target"), process.named_offer or str(offer.get("@id"))
        datasets = self.catalogue().datasets
        named = [datasets[str(target)]] if str(target) in datasets else []
        found = [one.offers[name] for one in (datasets.values() if target is None else named) if name in one.offers]
        ours = [one for one in found if one.assignee in (None, process.participant)]
        if len(ours) > 1:
            raise Unknown(f"several data sets have an offer {name[:80]}: say the target")
        if not ours:
            raise Unknown(f"there is no offer {name[:80]} of data set {str(target)[:80]}")
        return ours[0]

    def _downgraded(self, process: Process, agreement: JsonObject) -> str | None:
        try:
            agreed = policy_of({"profile": PROFILE, **agreement})
            offer = with_assigner(policy_of({"profile": PROFILE, **(process.offer or {})}), process.participant)
            judge_refinement(VERIFY, agreed, offer, {})
        except VerificationError as error:
            return str(error)[:1_000]
        return None if agreed.assignee == self.participant_id else f"is for {str(agreed.assignee)[:80]}"

    def request(self, rows: Rows, provider: Participant, address: str, offer: JsonObject) -> Process:
        """Begin a negotiation as the consumer.

        Args:
            address: of the provider's end points.
            offer: as the provider's catalogue has it, with its target.

        Raises:
            Refused: the address is not the provider's.
        """
        return self._first(rows, provider, address, Kind.REQUEST, {"offer": offer})

    def request_transfer(
        self, rows: Rows, provider: Participant, address: str, agreement: str, format_: str
    ) -> Process:
        """Begin a transfer under an agreement in which we are the assignee.

        Raises:
            Unknown: there is no such agreement with this provider.
            Refused: the address is not the provider's.
        """
        held = rows.agreement(agreement)
        if held is None or held.role is not Role.CONSUMER or held.participant != provider.id:
            raise Unknown(f"there is no agreement {agreement[:80]} with {provider.id} in which we are the assignee")
        members: JsonObject = {"agreementId": agreement, "format": format_}
        return self._first(rows, provider, address, Kind.TRANSFER_REQUEST, members)

    def _first(self, rows: Rows, provider: Participant, address: str, kind: Kind, members: JsonObject) -> Process:
        try:
            address_is_of_the_participant(address, provider)
        except PredicateFailed as error:
            raise Refused(error.predicate, str(error)) from None
        is_transfer = kind is Kind.TRANSFER_REQUEST
        process = Process(_new_pid(), is_transfer, Role.CONSUMER, provider.id, State.REQUESTED, address)
        named: dict[str, Any] = {"offer": members.get("offer"), "agreement_id": members.get("agreementId")}
        kept = rows.put(replace(process, format=members.get("format"), **named))  # type: ignore[arg-type]  # a text
        body = message(kind, kept.pid, None, callbackAddress=self.endpoint, **members)
        self._send(rows, kept, kind, f"{address.rstrip('/')}/{FIRST_PATHS[kind]}", body)
        return kept

    def step(self, rows: Rows, pid: str, kind: Kind, asked: Asked) -> Process:
        """A step of ours: the state changes, and the message that says so is on its way.

        Raises:
            Unknown: there is no such process.
            Refused: it may not be taken now.
        """
        process = rows.process(pid)
        if process is None or process.is_transfer is not kind.is_of_a_transfer:
            raise Unknown(f"there is no such process {pid[:80]}")
        state = _after(kind, process.role, process)
        if process.their_pid is None:
            raise Refused("counterparty_has_answered", "the counterparty has not answered yet; try again", process)
        if process.judged is not None and kind in (Kind.ACCEPTED, Kind.VERIFICATION):
            rule = process.judged.partition(":")[0]
            if asked.despite != rule:
                raise Refused(rule, f"{process.judged}; say `despite` with the rule's name to go on", process)
        members: dict[str, JsonValue] = {}
        if kind is Kind.OFFER:
            offer = self.offer_of(process)
            process = replace(process, offer=_fields(offer), judged=None)
            members["offer"] = process.offer
        elif kind is Kind.REQUEST:
            process = replace(process, offer=asked.offer or process.offer)
            members["offer"] = process.offer
        elif kind is Kind.AGREEMENT:
            process = self._agreed(process)
            members["agreement"] = process.agreement
        elif kind is Kind.FINALIZED:
            if not process.recorded:
                raise Refused("agreement_is_on_record", "the agreement is not on record yet", process)
            members["record"] = process.record
            self._hold(rows, process)
        elif kind is Kind.TRANSFER_START:
            members["dataAddress"] = asked.data_address
        elif asked.code is not None or asked.reasons:
            members |= {"code": asked.code, "reason": list(asked.reasons) or None}
        kept = rows.put(process.at(state, note="; ".join(asked.reasons) or process.note))
        pids = pids_of(kept.role, kept.pid, kept.their_pid)
        # Their identifier is a stranger's text: quoted, it is one step of a path and nothing else.
        path = PATHS[kind].format(quote(str(process.their_pid), safe=":"))
        url = f"{kept.callback.rstrip('/')}/{path}"
        self._send(rows, kept, kind, url, message(kind, pids[0], pids[1], **members))
        return kept

    def _agreed(self, process: Process) -> Process:
        """With the agreement: our offer as it is published now, for this assignee, with the rules of the hub's module held to it."""
        offer = self.offer_of(process)
        timestamp = datetime.fromtimestamp(self.now_ms() / 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        agreement = agreement_under(offer, _new_pid(), process.participant, timestamp)
        try:
            judge_refinement(VERIFY, agreement, offer, {})
        except VerificationError as error:
            raise Refused("agreement_refines_the_offer", str(error), process) from None
        return replace(process, offer=_fields(offer), agreement=_fields(agreement), agreement_id=agreement.id)

    def _hold(self, rows: Rows, process: Process) -> None:
        agreement = process.agreement or {}
        # Two negotiations may have been given one name before either ended; the first that ends has it.
        if rows.agreement_is_of_another(str(process.agreement_id), process.pid):
            name = str(process.agreement_id)
            raise Refused("agreements_have_names_of_their_own", f"agreement {name[:80]} is there already", process)
        held = HeldAgreement(
            str(process.agreement_id),
            process.role,
            process.participant,
            agreement,
            process.pid,
            process.record is not None,
        )
        rows.put_agreement(held)

    def _send(self, rows: Rows, process: Process, kind: Kind, url: str, body: JsonObject) -> None:
        now = self.now_ms()
        rows.send(Outgoing(process.pid, kind, process.participant, url, encode(body), first_ms=now, due_ms=now))


def _asked_first(one: Message) -> str:
    """Of all that a first message says: a sender that was killed before the answer came sends the same again."""
    said: JsonObject = {"offer": one.offer, "agreement": one.agreement_id, "format": one.format, "to": one.callback}
    return sha256(canonical_json(said | {"address": one.data_address})).hex()


def _after(kind: Kind, sender: Role, process: Process | None) -> State:
    try:
        return judge_step(VERIFY, kind, sender, None if process is None else process.state)
    except PredicateFailed as error:
        raise Refused(error.predicate, str(error), process) from None


def _differs(asked: JsonObject | None, offered: JsonObject) -> str | None:
    """Why a provider's offer is not the one that we asked for."""
    if asked is None:
        return "is_asked_for: nobody here has asked for it"
    try:
        ours, theirs = (policy_of({"profile": PROFILE, **one}) for one in (asked, offered))
    except MalformedInput as error:
        return f"is_of_the_profile: {error}"[:1_000]
    same = replace(ours, id=None, hash=b"", canonical=b"") == replace(theirs, id=None, hash=b"", canonical=b"")
    return None if ours.hash == theirs.hash or same else "is_what_was_asked_for: it has other terms"


def _fields(policy: Policy) -> JsonObject:
    return read_json_object(policy.canonical, "policy", len(policy.canonical))


def _new_pid() -> str:
    return f"urn:uuid:{uuid.uuid4()}"
