"""Defences of the GM suite: what the engine would take, tell or print."""

from tests.defences.defence import Defence

GM = "light_clients/crypto/gm"
TESTS = "light_clients/crypto/gm"
FILES = "relay/cli/operator/test_sm2_keys_command.py"
ONE_FORM = f"{TESTS}/test_forms.py::test_attack_D10_sm2_signature_has_one_encoding"

GM_SUITE = (
    Defence(
        "the scalars of an SM2 signature do not sum to zero",
        f"{GM}/signature.py",
        " and 0 < s < ORDER and r + s != ORDER else None\n",
        " and 0 < s < ORDER else None\n",
        (ONE_FORM,),
    ),
    Defence(
        "an ASN.1 length has its shortest form",
        f"{GM}/der.py",
        "        if size < _SHORT or (at == 4 and size <= 0xFF):\n",
        "        if False:\n",
        (ONE_FORM,),
    ),
    Defence(
        "an ASN.1 integer has no zero byte to spare",
        f"{GM}/der.py",
        "    if len(content) > 1 and content[0] == 0 and not content[1] & 0x80:\n",
        "    if False:\n",
        (ONE_FORM,),
    ),
    Defence(
        "nothing comes after a signature's ASN.1",
        f"{GM}/signature.py",
        "    if rest or after:\n",
        "    if False:\n",
        (ONE_FORM,),
    ),
    Defence(
        "nothing is encrypted to what is no point",
        f"{GM}/sm2_encryption.py",
        "    if not is_public_key(public_key):\n",
        "    if False:\n",
        (f"{TESTS}/test_sm2_encryption.py::test_attack_D2_sm2_nothing_is_encrypted_to_what_is_no_point",),
    ),
    Defence(
        "a private key is less than the order but one",
        f"{GM}/curve.py",
        'len(private_key) == SCALAR_BYTES and 0 < int.from_bytes(private_key, "big") < ORDER - 1\n',
        'len(private_key) == SCALAR_BYTES and 0 < int.from_bytes(private_key, "big") < ORDER\n',
        (f"{TESTS}/test_sm2.py::test_attack_D2_sm2_private_key_out_of_range_is_no_key",),
    ),
    Defence(
        "a signature of our own is verified before it leaves",
        f"{GM}/sm2.py",
        "    if not verify(key.public_key, message, signature, identifier):\n",
        "    if False:\n",
        (f"{TESTS}/test_sm2.py::test_halves_of_two_keys_sign_nothing",),
    ),
    Defence(
        "the engine's lines reach no standard error",
        f"{GM}/quiet.py",
        "        os.dup2(file, STDERR)\n",
        "        pass\n",
        (f"{TESTS}/test_quiet.py::test_refusals_print_nothing",),
    ),
    Defence(
        "what others write to standard error meanwhile is passed on",
        f"{GM}/quiet.py",
        "    if others and kept is not None:\n",
        "    if False:\n",
        (f"{TESTS}/test_quiet.py::test_what_others_write_meanwhile_is_passed_on",),
    ),
    Defence(
        "a key file is of the one curve",
        f"{GM}/pem.py",
        "    if len(found) != len(_BEFORE_PUBLIC) + PUBLIC_KEY_BYTES or not found.startswith(_BEFORE_PUBLIC):\n",
        "    if len(found) != len(_BEFORE_PUBLIC) + PUBLIC_KEY_BYTES:\n",
        (f"{TESTS}/test_pem.py::test_attack_D2_sm2_public_key_of_which_a_bit_was_changed_is_refused",),
    ),
    Defence(
        "a public key in a file is a point",
        f"{GM}/pem.py",
        "    public_key = found[-PUBLIC_KEY_BYTES:]\n    if not is_public_key(public_key):\n",
        "    public_key = found[-PUBLIC_KEY_BYTES:]\n    if False:\n",
        (f"{TESTS}/test_pem.py::test_attack_D2_sm2_public_key_of_which_a_bit_was_changed_is_refused",),
    ),
    Defence(
        "a sealed file is for its purpose",
        "relay/keys/sm2_sealed_file.py",
        "    return _DOMAIN + encoded\n",
        "    return _DOMAIN\n",
        (f"{FILES}::test_file_is_sealed_and_opened_for_its_purpose",),
    ),
)
