"""The issuer as a role of the daemon."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import trio
from fastapi import APIRouter
from joserfc.jwk import ECKey
from prometheus_client import Gauge

from hutong.adapters.interface import SigningFailed
from hutong.light_clients.interface import VerificationError
from hutong.relay.keys import KeyUnavailable, Signer, load_signer
from hutong.relay.services.identity.daemon.errors import RoleUnusable
from hutong.relay.services.identity.daemon.role import Common, Role
from hutong.relay.services.identity.issuer.context import Issuer, Trust
from hutong.relay.services.identity.issuer.credentials import CredentialMaker, SealKey
from hutong.relay.services.identity.issuer.desk_routes import desk_router
from hutong.relay.services.identity.issuer.hub.calls import Writer
from hutong.relay.services.identity.issuer.hub.door import HubDoor, open_hub_door
from hutong.relay.services.identity.issuer.hub.sync import Binding, HubSync, keep_hub_told
from hutong.relay.services.identity.issuer.keys import CredentialKey, account_thumbprint, load_credential_key
from hutong.relay.services.identity.issuer.ledger import IssuerLedger
from hutong.relay.services.identity.issuer.list_book import ListBook
from hutong.relay.services.identity.issuer.nonces import TimedNonces
from hutong.relay.services.identity.issuer.page import PAGE_POLICY
from hutong.relay.services.identity.issuer.settings import LOCALE, HubTable, IssuerConfig, schema_bytes
from hutong.relay.services.identity.issuer.wallet_routes import wallet_router
from hutong.relay.services.identity.rules.jose import JsonObject, TrustAnchors, encode_base64url, read_anchors
from hutong.relay.services.identity.rules.jose.jwe import KEY_AGREEMENT, DecryptionKey, read_decryption_key
from hutong.relay.services.identity.rules.openid4vci.metadata import issuer_metadata, server_metadata
from hutong.relay.services.identity.status_host.list_tokens import ListSigner, ListTokens
from hutong.relay.services.identity.store import grants
from hutong.relay.services.identity.store.database import open_database
from hutong.relay.services.identity.store.erasing import SWEEP_S
from hutong.relay.services.identity.store.issuances import ListRow
from hutong.relay.services.identity.store.transactions import Database, StoreUnavailable
from hutong.relay.telemetry import get_logger

NONCE_LIFE_S = 300
DPOP_NONCE_LIFE_S = 300
LOCAL_INTERVAL_S = 1.0
OpenDoor = Callable[[HubTable, Signer], "AsyncIterator[HubDoor]"]


@asynccontextmanager
async def issuer_role(config: IssuerConfig, common: Common) -> AsyncIterator[Role]:
    """The issuer of a configuration.

    Raises:
        RoleUnusable: a key, certificate or database cannot be used.
    """
    accounts = await trio.to_thread.run_sync(_accounts, config.hub)
    with open_database(common.server) as engine:
        try:
            issuer = await make_issuer(config, common, Database(engine), accounts)
        except StoreUnavailable as error:
            raise RoleUnusable(str(error)) from None
        tokens = list_tokens_of(issuer)

        async def told_hub() -> None:
            if config.hub is None or accounts is None:
                await keep_lists_local(issuer, tokens)
                return
            async with open_hub_door(config.hub, accounts[0]) as door:
                sync = hub_sync_of(issuer, tokens, config.hub, door, accounts)
                await keep_hub_told(sync, config.hub.interval_s)

        async def work() -> None:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(keep_forgetting, issuer)
                await told_hub()

        try:
            yield role_of(issuer, tokens, work)
        finally:
            with trio.CancelScope(shield=True):
                await issuer.maker.key.held.aclose()
                for signer in accounts or ():
                    if signer is not None:
                        await signer.aclose()


async def make_issuer(config: IssuerConfig, common: Common, database: Database, accounts: "Accounts | None") -> Issuer:
    """The issuer with its memory read from the database.

    Raises:
        RoleUnusable: a key or certificate cannot be used.
    """
    identifier = common.server.public_url
    key = await trio.to_thread.run_sync(load_credential_key, config, identifier)
    ledger = IssuerLedger(database, ListBook(common.random_bytes))
    await ledger.load()
    seal_key = None
    if config.hub is not None and accounts is not None and accounts[1] is not None:
        seal_key = SealKey(_blocking_seal(accounts[1]), account_thumbprint(accounts[1]), config.hub.did_bytes)
    return Issuer(
        identifier,
        config,
        common,
        ledger,
        CredentialMaker(identifier, key, seal_key, common.random_bytes),
        Trust(_anchors(config.wallet_providers), _anchors(config.key_attesters)),
        TimedNonces("proof", NONCE_LIFE_S, common.now_s, common.random_bytes),
        TimedNonces("dpop", DPOP_NONCE_LIFE_S, common.now_s, common.random_bytes),
        TimedNonces("challenge", NONCE_LIFE_S, common.now_s, common.random_bytes),
        *_request_key(common),
    )


Accounts = tuple[Signer, Signer | None]
"""Of the log key, and of the key that signs seals."""


def _accounts(hub: HubTable | None) -> Accounts | None:
    """In a thread: opening a keystore takes a deliberate fraction of a second."""
    if hub is None:
        return None
    try:
        seal = None if hub.seal_account is None else load_signer(hub.seal_account)
        return load_signer(hub.account), seal
    except KeyUnavailable as error:
        raise RoleUnusable(str(error)) from None


def _blocking_seal(signer: Signer) -> Callable[[bytes, bytes], bytes]:
    """For the thread that makes credentials, which trio started: the key may be elsewhere, and is asked in trio's own."""

    def sign(domain_separator: bytes, struct_hash: bytes) -> bytes:
        return trio.from_thread.run(signer.sign_typed_data, domain_separator, struct_hash)

    return sign


def _anchors(path: Path | None) -> TrustAnchors | None:
    if path is None:
        return None
    try:
        return read_anchors(path.read_bytes(), str(path))
    except (VerificationError, OSError) as error:
        raise RoleUnusable(f"{path}: {error}") from None


def _request_key(common: Common) -> tuple[DecryptionKey, JsonObject]:
    """A key that lives as long as the process, for what is encrypted to it is meant for now; and as the metadata has it."""
    members = ECKey.generate_key("P-256").as_dict(private=True)
    public: JsonObject = {name: str(members[name]) for name in ("kty", "crv", "x", "y")}
    kid = encode_base64url(common.random_bytes(16))
    key = read_decryption_key({**public, "d": str(members["d"]), "kid": kid})
    return key, {**public, "kid": kid, "use": "enc", "alg": KEY_AGREEMENT}


def list_tokens_of(issuer: Issuer) -> ListTokens:
    """Tokens of the issuer's own lists."""
    key: CredentialKey = issuer.maker.key
    signer = ListSigner(key.header, key.held, issuer.config.list_ttl_s, issuer.common.now_s)
    book = issuer.ledger.book
    return ListTokens(signer, lambda number: issuer.url(f"/status/{number}"), book.statuses, book.version)


def hub_sync_of(issuer: Issuer, tokens: ListTokens, hub: HubTable, door: HubDoor, accounts: Accounts) -> HubSync:
    """What tells the hub."""
    log_account, seal_account = accounts

    async def token_hash(number: int) -> bytes | None:
        await tokens.refresh(number)
        return tokens.next_hash(number)

    return HubSync(
        door,
        Writer(hub.did_bytes, account_thumbprint(log_account)),
        Binding(
            issuer.maker.key.thumbprint,
            bytes(32) if seal_account is None else account_thumbprint(seal_account),
            schema_bytes(hub.list_schema),
            issuer.config.list_size,
        ),
        issuer.ledger,
        token_hash,
        tokens.promote,
    )


async def keep_lists_local(issuer: Issuer, tokens: ListTokens) -> None:
    """Without a hub: lists opened, bits read and tokens signed here alone."""
    ledger = issuer.ledger
    while True:
        changed = ledger.changed
        try:
            await settle_locally(issuer, tokens)
        except SigningFailed as error:
            get_logger("issuer").warning("a list is not signed", reason=str(error))
        with trio.move_on_after(LOCAL_INTERVAL_S):
            await changed.wait()


async def keep_forgetting(issuer: Issuer) -> None:
    """Claims of offers that are over go, and secrets, also where no wallet ever comes to fetch one."""
    while True:
        await forget_what_ended(issuer)
        await trio.sleep(SWEEP_S)


async def forget_what_ended(issuer: Issuer) -> None:
    """One pass of `keep_forgetting`: what it erased is in no file of the database afterwards."""
    database, now_s = issuer.ledger.database, issuer.common.now_s()
    await database.run(lambda connection: grants.forget_ended(connection, now_s))
    await database.empty_log()


async def settle_locally(issuer: Issuer, tokens: ListTokens) -> None:
    """One pass of `keep_lists_local`."""
    ledger = issuer.ledger
    if ledger.book.needs_another():
        row = ListRow(len(ledger.book), issuer.maker.key.thumbprint.hex(), issuer.config.list_size, is_open=True)
        await ledger.add_list(row)
    await ledger.read_revocations()
    for state in tuple(ledger.book):
        await tokens.refresh(state.number)
        tokens.promote(state.number)


def role_of(issuer: Issuer, tokens: ListTokens, run: Callable[[], Awaitable[None]]) -> Role:
    """The role of an issuer, its routes and its gauges."""
    config = issuer.config
    metadata = issuer_metadata(
        issuer.identifier,
        ((LOCALE, config.name),),
        [one.description() for one in config.credentials],
        issuer.request_jwk,
    )
    server = server_metadata(
        issuer.identifier,
        attests_wallets=issuer.trust.providers is not None,
        types=[*issuer.types],
        challenges=config.attestation_challenges,
    )
    router = APIRouter()
    router.include_router(wallet_router(issuer, tokens, metadata, server))
    router.include_router(desk_router(issuer))
    issued = Gauge("hutong_issuer_issued", "Credentials issued so far.", registry=issuer.common.registry)
    issued.set_function(lambda: issuer.ledger.log.size)

    def not_ready() -> str | None:
        if issuer.ledger.refusal is not None:
            return issuer.ledger.refusal
        if issuer.maker.key.held.problem is not None:
            return issuer.maker.key.held.problem
        return None if any(one.has_room for one in issuer.ledger.book) else "no status list is open yet"

    page = f"{urlsplit(issuer.identifier).path}/authorize"
    return Role("issuer", router, run, not_ready, {page: PAGE_POLICY})
