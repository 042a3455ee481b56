"""Defences of transactions on Cosmos chains: what is signed, what a node says of them, and the relay's owner of a key."""

from tests.defences.defence import Defence

SUBMIT = "adapters/cosmos/submit.py"
DOCUMENTS = "relay/keys/documents/cosmos.py"
INCLUSION = "adapters/cosmos/reading/inclusion.py"
ADDRESSES = "adapters/cosmos/transactions/addresses.py"
ACCOUNTS = "adapters/cosmos/transactions/accounts.py"
NONCE = "relay/core/account/account.py"
BYTES = "adapters/cosmos/test_cosmos_transactions.py"
NODE = "adapters/cosmos/test_cosmos_submission.py"
RELAY = "relay/core/account/test_sequenced.py"
DOCUMENT_TEST = f"{BYTES}::test_attack_G14_signer_refuses_what_is_not_a_document_of_its_key_and_chain"

COSMOS_TRANSACTIONS = (
    Defence(
        "a signer signs documents of its chain alone",
        DOCUMENTS,
        "    if chain_id is not None and found.chain_id != chain_id:\n",
        "    if False:\n",
        (DOCUMENT_TEST,),
    ),
    Defence(
        "a document has one signer",
        DOCUMENTS,
        "    if len(auth_info.signer_infos) != 1:\n",
        "    if not auth_info.signer_infos:\n",
        (DOCUMENT_TEST,),
    ),
    Defence(
        "a document names the key that signs it",
        DOCUMENTS,
        "    if found.public_key != public_key:\n",
        "    if False:\n",
        (DOCUMENT_TEST,),
    ),
    Defence(
        "a document is for direct signing",
        DOCUMENTS,
        "    if signer.mode_info.single.mode != SIGN_MODE_DIRECT:\n",
        "    if False:\n",
        (DOCUMENT_TEST,),
    ),
    Defence(
        "a document has messages and a fee",
        DOCUMENTS,
        '    if not body.messages or not auth_info.HasField("fee"):\n',
        "    if False:\n",
        (DOCUMENT_TEST,),
    ),
    Defence(
        "no fee above the cap is signed",
        SUBMIT,
        "        if fee.amount > settings.max_fee:\n",
        "        if False:\n",
        (f"{NODE}::test_attack_G8_no_fee_above_the_cap_is_signed",),
    ),
    Defence(
        "nothing is signed for another chain or account",
        SUBMIT,
        "        if prepared.chain_id != settings.chain_id or prepared.sender != self.address_of(signer):\n",
        "        if False:\n",
        (f"{NODE}::test_transactions_of_another_chain_or_account_are_not_signed",),
    ),
    Defence(
        "a result without its sequence event used no sequence",
        INCLUSION,
        "        consumed=code == 0 or (events is not None and _names_a_sequence(events)),\n",
        "        consumed=True,\n",
        (f"{NODE}::test_attack_G4_a_result_without_the_sequence_event_has_used_no_sequence",),
    ),
    Defence(
        "an indexed transaction has the asked hash",
        INCLUSION,
        "        if transaction_hash(raw) != wanted:\n",
        "        if False:\n",
        (f"{NODE}::test_indexed_transaction_must_have_the_asked_hash_and_a_committed_block",),
    ),
    Defence(
        "what is above the head is not final",
        SUBMIT,
        "        if found is None or found.height > (await self._head()).height:\n",
        "        if found is None:\n",
        (f"{NODE}::test_indexed_transaction_must_have_the_asked_hash_and_a_committed_block",),
    ),
    Defence(
        "an account is the asked one",
        ACCOUNTS,
        "    if base.address != address:\n",
        "    if False:\n",
        (f"{NODE}::test_accounts_that_are_refused",),
    ),
    Defence(
        "a balance is in the asked denomination",
        ACCOUNTS,
        "    if coin.denom != denom:\n",
        "    if False:\n",
        (f"{NODE}::test_balances_that_are_refused",),
    ),
    Defence(
        "the pool's sequence answers the question that was asked",
        "adapters/cosmos/simulation.py",
        "        if mismatch is None or mismatch[1] != IMPOSSIBLE_SEQUENCE or mismatch[0] >= IMPOSSIBLE_SEQUENCE:\n",
        "        if mismatch is None:\n",
        (f"{NODE}::test_pending_sequence_is_what_the_pool_expects_and_only_if_it_answers_the_question",),
    ),
    Defence(
        "a node that has just started is not believed about signatures",
        SUBMIT,
        "        if node_has_just_started(codespace, code, log, number):\n",
        "        if False:\n",
        (f"{NODE}::test_answers_to_a_broadcast",),
    ),
    Defence(
        "an address is in lower case",
        ADDRESSES,
        "    if len(text) > MAX_ADDRESS_CHARS or text != text.lower():\n",
        "    if len(text) > MAX_ADDRESS_CHARS:\n",
        (f"{BYTES}::test_attack_G8_mistyped_or_foreign_addresses_are_refused",),
    ),
    Defence(
        "an address has the chain's prefix",
        ADDRESSES,
        "    if found != prefix:\n",
        "    if False:\n",
        (f"{BYTES}::test_attack_G8_mistyped_or_foreign_addresses_are_refused",),
    ),
    Defence(
        "a pending transaction with a fixed fee is never replaced",
        NONCE,
        "                if entry.variants[-1].prepared.is_replaceable:\n                    await self._replace(entry)\n",
        "                if True:\n                    await self._replace(entry)\n",
        (f"{RELAY}::test_attack_G4_pending_transaction_is_sent_again_and_never_replaced",),
    ),
    Defence(
        "a transaction that pools refuse for good gives its nonce back",
        NONCE,
        "            if not entry.variants[-1].prepared.is_replaceable:\n                await self._refused(entry, refusal)\n",
        "            pass\n",
        (f"{RELAY}::test_attack_G4_transaction_that_pools_refuse_for_good_gives_its_nonce_to_another",),
    ),
    Defence(
        "what waits for a refused transaction ends with it",
        NONCE,
        "        for nonce in sorted(nonce for nonce in self.pending if nonce > entry.nonce):\n",
        "        for nonce in ():\n",
        (f"{RELAY}::test_attack_G4_what_waits_for_a_refused_transaction_does_not_wait_for_ever",),
    ),
    Defence(
        "one message that undoes a batch pays alone",
        "relay/core/route/worker.py",
        "        if end.outcome.reverted is not None and self._destination.atomic_batches:\n",
        "        if False:\n",
        (f"{RELAY}::test_attack_G6_one_message_undoes_a_batch_and_alone_pays_for_it",),
    ),
)
