"""Answering a request (OpenID4VP 1.0): fetch, judge, match, ask the holder, and only then take credentials and post."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from hutong.light_clients.interface import PredicateFailed
from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.services.identity.encrypting import encrypt_to
from hutong.relay.services.identity.rules.dcql import HeldCredential
from hutong.relay.services.identity.rules.jose import TrustAnchors
from hutong.relay.services.identity.rules.jose.jwe import Encryption
from hutong.relay.services.identity.rules.openid4vp import (
    REQUEST_MEDIA_TYPE,
    RequestLink,
    write_response,
)
from hutong.relay.services.identity.rules.openid4vp.answer import AUTHORITY_KEY
from hutong.relay.services.identity.rules.openid4vp.request import MAX_REQUEST_CHARS
from hutong.relay.services.identity.rules.sd_jwt import (
    Clock,
    CompactSdJwt,
    Unpacked,
    bind_to_holder,
    read_compact,
    select_disclosures,
)
from hutong.relay.services.identity.rules.wallet.answering import Choice, choose, unpacked
from hutong.relay.services.identity.rules.wallet.issuer_answers import MAX_ANSWER_BYTES
from hutong.relay.services.identity.rules.wallet.requests import (
    ShowableRequest,
    judge_for_holder,
    redirect_after,
    request_text_well_formed,
)
from hutong.relay.services.identity.wallet.consent import Consent, Shown, always_shown, value_at, written_path
from hutong.relay.services.identity.wallet.holder_keys import HolderKey
from hutong.relay.services.identity.wallet.holdings import Holding, Instance, Presented
from hutong.relay.services.identity.wallet.store import WalletStore
from hutong.relay.services.identity.wallet.transport import Transport

_FORM = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}


@dataclass(frozen=True, slots=True)
class _Held:
    holding: Holding
    matched: HeldCredential
    unpacked: Unpacked


def fetch_request(transport: Transport, link: RequestLink, anchors: TrustAnchors, now_s: int) -> ShowableRequest:
    """The request of a link, judged.

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: a rule that does not hold.
        PeerRefused, PeerUnreachable: the verifier did not give it.
    """
    if link.is_post:
        wallet_nonce = secrets.token_urlsafe(24)
        body = urlencode({"wallet_nonce": wallet_nonce}).encode()
        headers = {**_FORM, "accept": REQUEST_MEDIA_TYPE}
        answer = transport.ask("POST", link.request_uri, headers, body, MAX_REQUEST_CHARS)
        data = Transport.demand(answer, link.request_uri)
    else:
        wallet_nonce = None
        data = transport.get(link.request_uri, REQUEST_MEDIA_TYPE, MAX_REQUEST_CHARS)
    token = VERIFY(request_text_well_formed, data)
    return judge_for_holder(VERIFY, token, link, wallet_nonce, (anchors, Clock(now_s)))


def propose(store: WalletStore, showable: ShowableRequest, wanted: Mapping[str, str]) -> Consent:
    """What the wallet would answer.

    Args:
        wanted: names of holdings that the holder picked, by query id; the first that fits is taken for others.

    Raises:
        PredicateFailed: the wallet does not hold what is asked for, or what was picked does not fit.
    """
    held = [_held(store, holding) for holding in store.holdings()]
    position_of = {each.holding.name: position for position, each in enumerate(held)}
    for name in wanted.values():
        if name not in position_of:
            raise PredicateFailed("propose", "no such holding that can be presented", name[:64], sorted(position_of))
    choices = choose(
        VERIFY,
        showable.request.query,
        [(each.matched, each.unpacked) for each in held],
        {query_id: position_of[name] for query_id, name in wanted.items()},
    )
    return Consent(showable, tuple(_shown(store, choice, held[choice.position]) for choice in choices))


def _held(store: WalletStore, holding: Holding) -> _Held:
    found = unpacked(read_compact(store.instance(holding.name).credential))
    authorities = {AUTHORITY_KEY: frozenset(holding.authorities)}
    return _Held(holding, HeldCredential(found.claims, bound=True, authorities=authorities), found)


def _shown(store: WalletStore, choice: Choice, held: _Held) -> Shown:
    claims = held.unpacked.claims
    return Shown(
        choice.query_id,
        held.holding,
        choice.disclosures,
        tuple((path, value_at(claims, path)) for path in choice.disclosures),
        always_shown(claims, held.unpacked.disclosed),
        store.left(held.holding.name),
    )


def answer(transport: Transport, store: WalletStore, consent: Consent, now_s: int) -> str | None:
    """Present what the holder agreed to; where the verifier sends the browser, if it says.

    Each credential counts as presented before its presentation leaves, whatever comes of it.

    Raises:
        NothingLeft: a batch is used up.
        PeerRefused, PeerUnreachable: the verifier did not take it.
    """
    request = consent.showable.request
    presentations: dict[str, Sequence[str]] = {}
    for shown in consent.shown:
        presentations[shown.query_id] = [
            _presented(store.take(shown.holding), shown, request.client_id, consent, now_s)
        ]
        paths = tuple(written_path(path) for path in shown.disclosures)
        store.note(Presented(now_s, consent.asker, shown.holding.name, paths))
    strongest = Encryption.A256GCM
    offered = request.metadata.encryptions
    encryption = strongest if strongest in offered else offered[0]
    plaintext = write_response(presentations, request.challenge.state)
    token = encrypt_to(consent.showable.encryption_key, plaintext, encryption)
    return _post(transport, request.response_uri, {"response": token})


def _presented(instance: Instance, shown: Shown, client_id: str, consent: Consent, now_s: int) -> str:
    issued: CompactSdJwt = read_compact(instance.credential)
    selected = select_disclosures(issued, shown.disclosures)
    key = HolderKey(instance.secret)
    nonce = consent.showable.request.challenge.nonce
    return str(bind_to_holder(selected, client_id, nonce, now_s, key.sign))


def decline(transport: Transport, showable: ShowableRequest) -> str | None:
    """Tell the verifier that the holder does not present anything; where it sends the browser, if it says.

    Raises:
        PeerRefused, PeerUnreachable: the verifier did not take it.
    """
    fields = {"error": "access_denied"}
    if showable.request.challenge.state is not None:
        fields["state"] = showable.request.challenge.state
    return _post(transport, showable.request.response_uri, fields)


def _post(transport: Transport, address: str, fields: Mapping[str, str]) -> str | None:
    posted = transport.ask("POST", address, _FORM, urlencode(fields).encode(), MAX_ANSWER_BYTES)
    redirect: str | None = VERIFY(redirect_after, Transport.demand(posted, address))
    return redirect
