"""Defences of Transfer, the contract that holds tokens."""

from tests.defences.defence import Defence

TRANSFER = "contracts/src/apps/Transfer.sol"
VAULT = "contracts/src/apps/TransferVault.sol"
LIMITS = "contracts/src/apps/TransferLimits.sol"
ATTACKS = "contracts/transfer/test_transfer_attacks.py"
TOKENS_TESTS = "contracts/transfer/test_transfer_tokens.py"
LIMIT_TESTS = "contracts/transfer/test_transfer_limits.py"

TOKENS = (
    Defence(
        "escrow per client",
        VAULT,
        "        require(amount <= escrowed, EscrowExceeded(clientId, token, escrowed, amount));\n"
        "        _escrow[clientId][token] = escrowed - amount;\n",
        "        _escrow[clientId][token] = amount <= escrowed ? escrowed - amount : 0;\n",
        (f"{ATTACKS}::test_attack_F2_contract_escrow_of_one_client_is_out_of_reach_of_another",),
    ),
    Defence(
        "one spelling of a token of this chain",
        VAULT,
        "            require(!isVoucher[token] && denom.equal(Identifiers.toHex(token)), UnknownToken(denom));\n",
        "",
        (f"{ATTACKS}::test_attack_F3_contract_token_of_this_chain_has_one_spelling",),
    ),
    Defence(
        "denominations are checked",
        VAULT,
        "        require(Ics20.isDenom(denom), InvalidDenom(denom));\n",
        "",
        (f"{ATTACKS}::test_attack_F3_contract_denoms_that_are_invalid",),
    ),
    Defence(
        "tokens come from the transfer port",
        TRANSFER,
        "            payload.sourcePort.equal(Ics20.PORT) && payload.destPort.equal(Ics20.PORT)\n",
        "            payload.destPort.equal(Ics20.PORT)\n",
        (f"{ATTACKS}::test_attack_E7_contract_tokens_come_from_the_transfer_port_alone",),
    ),
    Defence(
        "balances are measured",
        VAULT,
        "        require(delta == amount, BalanceMismatch(token, amount, delta));\n",
        "",
        (f"{TOKENS_TESTS}::test_attack_F5_contract_token_that_does_not_pay_in_full_is_not_escrowed",),
    ),
    Defence(
        "tokens have code",
        TRANSFER,
        "        require(token.code.length != 0 && !ROUTER.isSystemContract(token), NotAToken(token));\n",
        "",
        (f"{TOKENS_TESTS}::test_attack_F5_contract_addresses_without_code_are_no_tokens",),
    ),
    Defence(
        "a hook's stranger is not refused",
        TRANSFER,
        "        if (paused() || _reentrancyGuardEntered()) _revertWithoutReason();\n",
        "        if (paused()) _revertWithoutReason();\n",
        (f"{TOKENS_TESTS}::test_attack_E11_contract_token_hook_re_enters_while_tokens_are_taken",),
    ),
    Defence(
        "refunds that fail are held",
        VAULT,
        "        _hold(true, clientId, sequence, Held(token, uint64(block.timestamp), to, amount), reason);\n",
        "        require(reason.length == type(uint256).max, NotAToken(token));\n",
        (f"{TOKENS_TESTS}::test_attack_F7_contract_token_that_refuses_cannot_keep_a_packet_from_being_settled",),
    ),
    Defence(
        "nothing for contracts of the bridge",
        VAULT,
        "            && !isVoucher[account] && !ROUTER.isSystemContract(account);\n",
        "            && !isVoucher[account];\n",
        (f"{ATTACKS}::test_attack_F12_contract_tokens_for_contracts_of_the_bridge_are_refused",),
    ),
    Defence(
        "caller of Transfer's callbacks",
        TRANSFER,
        "        require(msg.sender == address(ROUTER), OnlyRouter(msg.sender));\n",
        "",
        (f"{ATTACKS}::test_attack_F12_contract_administration_is_out_of_reach_of_packets_and_strangers",),
    ),
    Defence(
        "nothing breaks out of the forward memo",
        TRANSFER,
        "        _checkQuotable(receiver);\n",
        "",
        (f"{ATTACKS}::test_attack_E18_contract_forwards_that_cannot_be_sent",),
    ),
    Defence(
        "room of a window",
        LIMITS,
        "            require(amount <= bound - used, LimitExceeded(name, token, bound - used, amount));\n",
        "            if (amount > bound - used) amount = bound - used;\n",
        (f"{LIMIT_TESTS}::test_attack_E19_contract_receive_over_the_cap_is_refused_and_uses_no_room",),
    ),
    Defence(
        "room goes back to its own window",
        LIMITS,
        "        if (chargedAt / windowSeconds != block.timestamp / windowSeconds) return;\n",
        "        if (chargedAt == 0) return;\n",
        (f"{LIMIT_TESTS}::test_attack_E19_contract_refund_gives_room_to_its_own_window_alone_and_once",),
    ),
    Defence(
        "large receives wait",
        VAULT,
        "        require(block.timestamp >= entry.releasableAt, StillHeld(id, entry.releasableAt));\n",
        "",
        (f"{LIMIT_TESTS}::test_large_receive_waits_and_anyone_releases_it",),
    ),
    Defence(
        "the owner says where a held amount goes",
        VAULT,
        "        require(owner == msg.sender, OnlyOwner(owner, msg.sender));\n",
        "",
        (f"{TOKENS_TESTS}::test_attack_F5_contract_blocked_receiver_is_refused_and_blocked_sender_claims_elsewhere",),
    ),
    Defence(
        "vouchers are minted and burnt by Transfer alone",
        "contracts/src/apps/Voucher.sol",
        "        require(msg.sender == TRANSFER, OnlyTransfer(msg.sender));\n",
        "",
        (f"{ATTACKS}::test_attack_F8_contract_sender_is_the_caller",),
    ),
)
