"""What keeps messages sealed to a reader's key secret, and its keystore to its purpose."""

from tests.defences.defence import Defence

PARSING = "light_clients/crypto/hpke/keys.py"
MESSAGES = "light_clients/crypto/hpke/messages.py"
KEY_TESTS = "light_clients/crypto/hpke/test_hpke_keys.py"
MESSAGE_TESTS = "light_clients/crypto/hpke/test_hpke_messages.py"
COMMAND_TESTS = "relay/cli/operator/test_reader_keys_command.py"

SEALING = (
    Defence(
        "nothing is sealed to a point of small order",
        PARSING,
        "        x25519.X25519PrivateKey.from_private_bytes(_ANY_SCALAR).exchange(key)\n",
        "        pass\n",
        (f"{KEY_TESTS}::test_x25519_point_of_small_order_is_refused",),
    ),
    Defence(
        "a reader's key has one encoding",
        PARSING,
        '    if int.from_bytes(encoded, "little") >= _FIELD_PRIME:\n',
        "    if False:\n",
        (f"{KEY_TESTS}::test_x25519_key_has_one_encoding",),
    ),
    Defence(
        "what binds a message is never left out silently",
        MESSAGES,
        "    if aad and not suite.takes_aad:\n",
        "    if False:\n",
        (f"{MESSAGE_TESTS}::test_hybrid_has_no_aad",),
    ),
    Defence(
        "a reader's key signs nothing",
        "relay/keys/keystore.py",
        '        raise KeyUnavailable(path, "holds a key that opens messages (hutong keys hpke), which signs nothing")\n',
        "        pass\n",
        (f"{COMMAND_TESTS}::test_readers_key_signs_nothing_and_accounts_open_nothing",),
    ),
    Defence(
        "a keystore's public key is that of its secret",
        "relay/keys/reader_key.py",
        "    if key.public_key != said:\n",
        "    if False:\n",
        (f"{COMMAND_TESTS}::test_wrong_password_and_changed_keystores_are_said",),
    ),
)
