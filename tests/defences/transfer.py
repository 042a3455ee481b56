"""Defences of the token contracts."""

from tests.defences.defence import Defence

TRANSFER = "contracts/src/apps/Transfer.sol"
VAULT = "contracts/src/apps/TransferVault.sol"
LIMITS = "contracts/src/apps/TransferLimits.sol"
ATTACKS = "contracts/transfer/test_transfer_attacks.py"
LIMIT_TESTS = "contracts/transfer/test_transfer_limits.py"
TOKENS = "contracts/transfer/test_transfer_tokens.py"

AUDIT = "contracts/transfer/test_audit_transfer.py"

TOKEN_CONTRACTS = (
    Defence(
        "a receive that may be cancelled makes no room",
        LIMITS,
        "        if (!sending && delay == 0) _credit(scope, token, true, amount);\n",
        "        if (!sending) _credit(scope, token, true, amount);\n",
        (f"{AUDIT}::test_audit_L1_contract_a_receive_that_waits_makes_no_room_for_sends",),
    ),
    Defence(
        "what moved the other way makes room",
        LIMITS,
        "            uint256 bound = cap == 0 ? 0 : _min(cap + window.credit, NO_LIMIT);\n",
        "            uint256 bound = cap;\n",
        (f"{AUDIT}::test_audit_L1_contract_round_trips_of_ones_own_tokens_take_nobodys_room",),
    ),
    Defence(
        "a cap of zero shuts",
        LIMITS,
        "            uint256 bound = cap == 0 ? 0 : _min(cap + window.credit, NO_LIMIT);\n",
        "            uint256 bound = _min(cap + window.credit, NO_LIMIT);\n",
        (f"{AUDIT}::test_audit_L1_contract_a_cap_of_zero_shuts_whatever_moves_the_other_way",),
    ),
    Defence(
        "a settlement that could not tell its sender is not settled",
        VAULT,
        "        require(available >= needed, InsufficientSettlementGas(available, needed));\n"
        "        (success, reason,) = BoundedCall",
        "        (success, reason,) = BoundedCall",
        (f"{AUDIT}::test_trial_T12_contract_too_little_gas_reverts_the_settlement_whole",),
    ),
    Defence(
        "escrow per client",
        VAULT,
        "        require(amount <= escrowed, EscrowExceeded(clientId, token, escrowed, amount));\n"
        "        _escrow[clientId][token] = escrowed - amount;\n",
        "        unchecked { _escrow[clientId][token] = escrowed - amount; }\n",
        (
            f"{ATTACKS}::test_attack_F2_contract_escrow_of_one_client_is_out_of_reach_of_another",
            f"{ATTACKS}::test_attack_F2_contract_client_never_brings_home_more_than_it_was_sent",
        ),
    ),
    Defence(
        "balance delta of tokens",
        VAULT,
        "        require(delta == amount, BalanceMismatch(token, amount, delta));\n",
        "",
        (f"{TOKENS}::test_attack_F5_contract_token_that_does_not_pay_in_full_is_not_escrowed",),
    ),
    Defence(
        "tokens have code",
        TRANSFER,
        "        require(token.code.length != 0 && !ROUTER.isSystemContract(token), NotAToken(token));\n",
        "",
        (f"{TOKENS}::test_attack_F5_contract_addresses_without_code_are_no_tokens",),
    ),
    Defence(
        "tokens come from port transfer only",
        TRANSFER,
        "            payload.sourcePort.equal(Ics20.PORT) && payload.destPort.equal(Ics20.PORT)\n",
        "            payload.destPort.equal(Ics20.PORT)\n",
        (f"{ATTACKS}::test_attack_E7_contract_tokens_come_from_the_transfer_port_alone",),
    ),
    Defence(
        "reentrancy guard of receives",
        TRANSFER,
        "        if (paused() || _reentrancyGuardEntered()) _revertWithoutReason();\n",
        "        if (paused()) _revertWithoutReason();\n",
        (
            f"{TOKENS}::test_attack_E11_contract_token_hook_re_enters_while_tokens_are_taken",
            f"{TOKENS}::test_attack_E11_contract_token_hook_re_enters_while_tokens_are_paid",
        ),
    ),
    Defence(
        "caps per client and origin",
        LIMITS,
        "            require(amount <= bound - used, LimitExceeded(name, token, bound - used, amount));\n",
        "",
        (f"{LIMIT_TESTS}::test_attack_E19_contract_receive_over_the_cap_is_refused_and_uses_no_room",),
    ),
    Defence(
        "large amounts wait",
        VAULT,
        "        require(block.timestamp >= entry.releasableAt, StillHeld(id, entry.releasableAt));\n",
        "",
        (f"{LIMIT_TESTS}::test_large_receive_waits_and_anyone_releases_it",),
    ),
    Defence(
        "refund gives room to its own window alone",
        LIMITS,
        "        if (chargedAt / windowSeconds != block.timestamp / windowSeconds) return;\n",
        "",
        (f"{LIMIT_TESTS}::test_attack_E19_contract_refund_gives_room_to_its_own_window_alone_and_once",),
    ),
    Defence(
        "only Transfer mints vouchers",
        "contracts/src/apps/Voucher.sol",
        "        require(msg.sender == TRANSFER, OnlyTransfer(msg.sender));\n",
        "",
        (f"{ATTACKS}::test_attack_F12_contract_administration_is_out_of_reach_of_packets_and_strangers", ATTACKS),
    ),
)
