"""What happens on the platform: offers, credentials and seals, presentations, logins, a call to a contract, revocations, copies of lists."""

from collections.abc import Callable
from dataclasses import dataclass, field
from html import unescape
from typing import Any, TypeVar

import trio
from authlib.integrations.httpx_client import AsyncOAuth2Client

from hutong.relay.archive.acceptance import HolderCall, SealedClaim, ShownChunk, ShownSeal, encode_acceptance
from hutong.relay.archive.shared_records import acceptance_of_records
from hutong.relay.audit.identity.seals import words_of_seal
from hutong.relay.services.identity.rules.persons.changing import encode_change
from hutong.relay.services.identity.rules.seals import sign_account
from hutong.relay.services.identity.rules.seals.presentation import Gate
from hutong.relay.services.identity.rules.seals.seal import seal_digest
from hutong.relay.services.identity.rules.seals.seal_file import encode_seal_file, seal_of_json
from hutong.relay.services.identity.rules.status.chunk_tree import TreeShape, layers_of, prove_chunk
from hutong.relay.services.identity.status_host.role import fetch, fetch_all
from hutong.relay.services.identity.wallet import PeerRefused
from hutong.relay.services.identity.wallet.contract_presentation import ContractCall
from hutong.sdk import identity_gate
from tests.relay.audit.records.shown_records import Hub
from tests.relay.hub.application.identity.organisations import held
from tests.relay.hub.simulated_hub import STRANGER, address_of
from tests.relay.services.identity.login.test_login import CALLBACK, SECRET
from tests.relay.services.identity.privacy.markers import PEOPLE, Person
from tests.relay.services.identity.privacy.platform import Platform, Verifying, mirror_of, verifying
from tests.relay.services.identity.rules.persons.people import change, control
from tests.relay.services.identity.verifier.scene import PUBLIC_URL
from tests.relay.services.identity.verifier.test_pages import LINK

Answer = TypeVar("Answer")
VERSION_BYTES, WORD_BYTES = 1, 32
"""Of a record's value. Rows that hold counters or the numbers of open lists have other lengths, and no bundle shows them."""
LATER_S = 90
"""After which every list is fetched anew."""
UNTAKEN, HALF_TAKEN, REVOKED = PEOPLE[7], PEOPLE[8], PEOPLE[2]


@dataclass
class Made:
    """What the flow left behind outside of the services."""

    holdings: dict[str, list[str]] = field(default_factory=dict)
    """Names of the wallet's holdings by the given name in them."""
    mirrored: Any = None
    calldata: bytes = b""
    acceptance: bytes = b""


async def offered(on: Platform, person: Person, reference: str) -> tuple[str, str | None]:
    """Link and transaction code."""
    said = {"type": "residence", "claims": person.claims, "reference": reference}
    answer = await on.issuing.desk.post("/v1/issuer/offers", json=said)
    assert answer.status_code == 201, answer.text
    found = answer.json()
    return found["link"], found.get("transaction_code")


async def in_wallet(on: Platform, act: Callable[[Any], Answer]) -> Answer:
    def acting() -> Answer:
        with on.wallet() as wallet:
            return act(wallet)

    return await trio.to_thread.run_sync(acting)


async def taken(on: Platform, made: Made, person: Person, offer: tuple[str, str | None], count: int) -> None:
    """The wallet accepts an offer, with seals."""

    def accept(wallet: Any) -> str:
        holding = wallet.accept(wallet.open_offer(offer[0]), offer[1], count, with_seals=True)
        assert holding.count == count
        return holding.name

    made.holdings.setdefault(person.given_name, []).append(await in_wallet(on, accept))


async def asked(on: Platform, verifier: Verifying, policy: str) -> dict[str, Any]:
    answer = await verifier.shop.post("/v1/verifier/requests", json={"policy": policy})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def shown(on: Platform, made: Made, person: Person, link: str, which: int = 0) -> None:
    def show(wallet: Any) -> None:
        name = made.holdings[person.given_name][which]
        wallet.present(wallet.propose(wallet.fetch_request(link), {"licence": name}))

    await in_wallet(on, show)


async def presented(on: Platform, made: Made, verifier: Verifying, person: Person, which: int = 0) -> str:
    """One presentation, accepted; the request's id."""
    request = await asked(on, verifier, "licence")
    await shown(on, made, person, request["link"], which)
    found = await verifier.shop.get(f"/v1/verifier/requests/{request['id']}")
    assert found.json()["state"] == "accepted", found.text
    assert person.given_name in found.json()["result"]["credentials"]["licence"][0]["claims"].values()
    return str(request["id"])


async def presented_and_kept(on: Platform, made: Made, person: Person) -> None:
    """A new credential, shown, whose result nobody has removed yet."""
    await taken(on, made, person, await offered(on, person, "kept"), 2)
    await later(on)
    await presented(on, made, on.verifying, person, which=-1)


async def refused(on: Platform, made: Made, person: Person) -> None:
    """A presentation whose credential is revoked."""
    request = await asked(on, on.verifying, "licence")
    try:
        await shown(on, made, person, request["link"])
    except PeerRefused:
        return
    raise AssertionError("a revoked credential was accepted")


def library(on: Platform) -> AsyncOAuth2Client:
    return AsyncOAuth2Client(
        client_id="library",
        client_secret=SECRET,
        redirect_uri=CALLBACK,
        scope="openid",
        code_challenge_method="S256",
        transport=on.wire.transport("library", on.verifying.app),
    )


async def login_begun(on: Platform, made: Made, person: Person, client: AsyncOAuth2Client, browser: Any) -> str:
    """Where the browser goes with a code, after the wallet has answered."""
    url, _ = client.create_authorization_url(f"{PUBLIC_URL}/login/authorize", code_verifier="v" * 43, nonce="n" * 22)
    page = (await browser.get(url)).headers["location"]
    found = LINK.search((await browser.get(page)).text)
    assert found is not None
    desk = on.verifying.desk
    this = desk.store.get(unescape(found.group(1)).rpartition("%2F")[2].partition("&")[0], 0)
    (code,) = (one for one in desk.store.of_owner(this.owner, 0) if one.return_to is None)
    await shown(on, made, person, desk.link(code))
    answer = await browser.get(page)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def token_of(client: AsyncOAuth2Client, location: str) -> None:
    token = await client.fetch_token(
        f"{PUBLIC_URL}/login/token", authorization_response=location, code_verifier="v" * 43
    )
    assert token["id_token"]


async def revoked(on: Platform, reference: str) -> None:
    answer = await on.issuing.desk.post("/v1/issuer/revocations", json={"reference": reference})
    assert answer.status_code < 300, answer.text


async def later(on: Platform, seconds: int = LATER_S) -> None:
    """Time passes, and the issuer tells the hub what is new."""
    on.clock[0] += seconds
    await on.issuing.door.sync.pass_once()


async def by_another_verifier(on: Platform, made: Made, person: Person) -> None:
    """The same, at a verifier that shares nothing with the first one."""
    async with verifying(on.folder / "other", on.wire, on.clock, on.issuing.app, "other verifier") as other:
        before = on.clients["verifier.example"]
        on.clients["verifier.example"] = on.wire.of("wallet", other.app, PUBLIC_URL)
        await presented(on, made, other, person)
        on.clients["verifier.example"] = before


async def mirrored(on: Platform, made: Made) -> None:
    """Every list as its issuer serves it, and as a mirror does; and paths of the log."""
    anybody = on.wire.of("anybody", on.issuing.app, "https://id.example")
    uris = tuple(on.issuing.issuer.url(f"/status/{state.number}") for state in on.issuing.issuer.ledger.book)
    mirror, client = mirror_of(on.issuing.common, lambda: on.clock[0], uris, on.wire)

    async def of_issuer(uri: str) -> str:
        return await fetch(anybody, uri)

    await fetch_all({"city": mirror}, of_issuer)
    assert not mirror.refused
    for number in range(len(uris)):
        assert (await client.get(f"/city/mirror/city/{number}")).status_code == 200
    made.mirrored = mirror
    sealed = await in_wallet(on, lambda wallet: seal_of_json(wallet.instances(wallet.holdings()[0])[0].seal))
    place = f"/city/log/{sealed.seal.list_number}/{sealed.seal.index}"
    size = on.issuing.issuer.ledger.log.size
    proof = await anybody.get(place, params={"digest": seal_digest(sealed.seal).hex(), "size": size})
    assert proof.status_code == 200, proof.text


async def to_a_contract(on: Platform, made: Made, person: Person, names: tuple[str, ...] = ("age_over_18",)) -> bytes:
    """Call data of a gated call that shows `names`, sent in a block of the hub; and the acceptance over the hub's records."""
    gate = identity_gate.Gate(
        41_000, "0x" + "11" * 20, "0x" + "22" * 20, "mint(ACCEPTANCE,address)", ("0x" + "44" * 20,)
    )

    def answer(wallet: Any) -> Any:
        holding = wallet.holding(made.holdings[person.given_name][0])
        call = ContractCall(Gate(41_000, b"\x11" * 20), b"\x22" * 20, gate.selector, bytes(12) + b"\x44" * 20)
        spent = next(one for one in wallet.instances(holding) if one.seal_secret)
        return wallet.present_to_contract(holding, call, list(names), 600), spent

    answered, instance = await in_wallet(on, answer)
    sealed = seal_of_json(instance.seal)
    octets = on.issuing.issuer.ledger.book.statuses(sealed.seal.list_number).octets
    status = identity_gate.status_proof(octets, 1, sealed.seal.index)
    seal_file = identity_gate.read_seal_file(encode_seal_file(sealed))
    window = (7, on.clock[0] + 600)
    data = identity_gate.acceptance(
        seal_file, gate, list(names), status, window, lambda digest: sign_account(instance.seal_secret, digest)
    )
    made.acceptance = _acceptance(on, answered)
    made.calldata = data
    return data


def _acceptance(on: Platform, answered: Any) -> bytes:
    """The file that an auditor is given, over the records as the hub has them."""
    rows = held(on.city.hub)
    records = {key: rows[key] for key in rows if len(rows[key]) > VERSION_BYTES == len(rows[key]) % WORD_BYTES}
    hub, seal, said = Hub(records), answered.sealed.seal, answered.presentation
    octets = on.issuing.issuer.ledger.book.statuses(seal.list_number).octets
    shape = TreeShape(1, len(octets) * 8)
    chunk = prove_chunk(layers_of(shape, octets), shape.chunk_of(seal.index))
    claims = []
    for one in answered.disclosures:
        salt, name_hash, kind, value, path = one.members()
        claims.append(SealedClaim(salt, name_hash, kind, value, tuple(path)))
    call = HolderCall(
        said.gate.chain_id,
        said.gate.address,
        said.caller,
        said.nonce,
        said.deadline_s,
        said.call_hash,
        answered.signature,
    )
    shown_seal = ShownSeal(words_of_seal(seal), answered.sealed.signature, tuple(claims), call)
    whole = acceptance_of_records(
        hub.bundle(*records), on.city.did, shown_seal, ShownChunk(chunk.chunk, chunk.siblings)
    )
    return encode_acceptance(whole)


async def registered(on: Platform, person: Person) -> int:
    """A registrar lets somebody in whom its office knows by name; the index at which it stands on the hub."""
    return await on.registrar.registered(person.given_name, following=f"{person.given_name} next")


async def renewed(on: Platform, person: Person, index: int) -> None:
    """Its next key takes over, and reads the proof."""
    name = f"{person.given_name} next"
    entry = change(index, on.registrar.desk.person(0, index), control(name), name, on.registrar.shard)
    taken = await on.registrar.post("/changes", {"shard": 0, "change": encode_change(entry).hex()}, code=202)
    await on.registrar.writing.pass_once()
    assert (await on.registrar.standing(taken["receipt"]))["state"] == "done"
    await on.registrar.post("/proofs", on.registrar.asking(name, index), code=200)


def sent_on_hub(on: Platform, data: bytes) -> None:
    """As call data of a transaction of somebody; what a chain keeps of it does not depend on the contract."""
    on.city.hub.send(address_of(STRANGER), data)
