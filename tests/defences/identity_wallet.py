"""Defences of the wallet: whom it asks, what it keeps, what it shows to whom, and that a one-time credential is shown once."""

from tests.defences.defence import Defence

RULES = "relay/services/identity/rules/wallet"
WALLET = "relay/services/identity/wallet"
RULE_TESTS = "relay/services/identity/rules/wallet/test_wallet_attacks.py"
PEERS = "relay/services/identity/wallet/test_hostile_peers.py"
ADDRESSES = f"{RULE_TESTS}::test_attack_N154_a_link_leads_to_no_address_that_others_can_read_or_change"
LINKS = f"{RULE_TESTS}::test_attack_N154_a_link_says_one_thing_once"
METADATA = f"{RULE_TESTS}::test_attack_N155_metadata_is_of_the_issuer_and_server_that_were_asked"
CODE = f"{RULE_TESTS}::test_attack_N156_a_code_of_another_request_or_server_is_not_used"
RECEIVED = f"{RULE_TESTS}::test_attack_N157_a_credential_is_judged_before_it_is_kept"
ASTRAY = f"{PEERS}::test_attack_N152_the_answer_goes_to_the_asker_and_encrypted"

HAIP = "relay/services/identity/wallet/test_haip_wallet.py"
DEMANDED = "relay/services/identity/rules/wallet/test_issuer_offers.py"

IDENTITY_WALLET = (
    Defence(
        "an answer comes encrypted where that was asked for",
        f"{WALLET}/issuing/credential_endpoint.py",
        "        if kind != JWT:\n",
        '        if kind == "application/json":\n            return text\n        if kind != JWT:\n',
        (f"{HAIP}::test_attack_N208_what_an_issuer_of_the_plan_must_not_get_away_with",),
    ),
    Defence(
        "encryption that an issuer demands is not left out",
        f"{RULES}/encryption_offered.py",
        '            if one is not None and one.members()["encryption_required"].flag():\n',
        "            if False:\n",
        (f"{DEMANDED}::test_attack_N208_encryption_that_is_demanded_is_not_left_out",),
    ),
    Defence(
        "each issuance of an attested wallet has an instance key of its own",
        f"{WALLET}/issuing/attested_client.py",
        "        self._key = HolderKey()\n",
        '        self._key = HolderKey(b"\\x01" * 32)\n',
        (f"{HAIP}::test_oid4vci_1_0_wallet_test_credential_issuance",),
    ),
    Defence(
        "a wallet asks over TLS, or this machine",
        f"{RULES}/addresses.py",
        '    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or "")):\n',
        '    if parts.scheme in ("https", "http"):\n',
        (ADDRESSES,),
    ),
    Defence(
        "an offer's link has no parameter twice",
        f"{RULES}/links.py",
        "    if len(found) != len(pairs):\n",
        "    if False:\n",
        (LINKS,),
    ),
    Defence(
        "metadata is of the issuer or server that was asked",
        f"{RULES}/issuer_metadata.py",
        "    if found != expected:\n",
        "    if False:\n",
        (METADATA,),
    ),
    Defence(
        "an offer names a server that its issuer names too",
        f"{RULES}/issuer_metadata.py",
        "    if named not in metadata.servers:\n",
        "    if False:\n",
        (METADATA,),
    ),
    Defence(
        "a token is bound where the server can bind it",
        f"{RULES}/issuer_answers.py",
        '    if kind == "bearer" and must_be_bound:\n',
        "    if False:\n",
        (f"{RULE_TESTS}::test_attack_N156_a_token_is_bound_where_the_server_can_bind_it",),
    ),
    Defence(
        "a code is of the request that was made",
        f"{RULES}/authorisation.py",
        '    if found.get("state") != state:\n',
        "    if False:\n",
        (CODE,),
    ),
    Defence(
        "a code is of the server that was asked",
        f"{RULES}/authorisation.py",
        '    if ("iss" in found or server.names_itself) and found.get("iss") != server.issuer:\n',
        "    if False:\n",
        (CODE,),
    ),
    Defence(
        "a credential is bound to a key of this wallet",
        f"{RULES}/received.py",
        "    if thumbprint not in keys:\n",
        "    if False:\n",
        (RECEIVED,),
    ),
    Defence(
        "credentials of a batch say the same",
        f"{RULES}/received.py",
        "        if _said(each) != _said(received[0]):\n",
        "        if False:\n",
        (f"{RULE_TESTS}::test_attack_N157_credentials_of_a_batch_cannot_be_told_apart_or_share_a_key",),
    ),
    Defence(
        "a seal is for the address that was sent",
        f"{RULES}/seals.py",
        "    if sealed.seal.holder != address:\n",
        "    if False:\n",
        (f"{PEERS}::test_attack_N157_what_an_issuer_sends_amiss_is_not_kept",),
    ),
    Defence(
        "an answer goes to a host of the certificate",
        f"{RULES}/requests.py",
        "        if host_of(address) not in certificate.hosts:\n",
        "        if False:\n",
        (ASTRAY,),
    ),
    Defence(
        "an answer goes where its request came from",
        f"{RULES}/requests.py",
        "    elif origin_of(address) != origin_of(link.request_uri):\n",
        "    elif False:\n",
        (ASTRAY,),
    ),
    Defence(
        "an answer is encrypted",
        f"{RULES}/requests.py",
        "    key = judge(answer_is_encrypted, request)\n",
        "    key = request.metadata.encryption_key\n",
        (ASTRAY,),
    ),
    Defence(
        "a credential counts as presented before it leaves",
        f"{WALLET}/store.py",
        "            self._database.execute(_PRESENTED, (holding.name, number))\n",
        "",
        (f"{PEERS}::test_attack_N158_a_one_time_credential_never_leaves_twice",),
    ),
    Defence(
        "a row opens in its own place alone",
        f"{WALLET}/store.py",
        '    return f"holding {name}" if number is None else f"instance {name} {number}"\n',
        '    return "holding" if number is None else "instance"\n',
        (f"{PEERS}::test_attack_N159_rows_that_were_changed_moved_or_another_wallets_do_not_open",),
    ),
)
