// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Identifiers } from "../src/libraries/Identifiers.sol";
import { TestBase } from "./TestBase.t.sol";

contract IdentifiersTest is TestBase {
    function test_fuzz_addressRoundTrip(address account) external pure {
        (bool ok, address parsed) = Identifiers.parseAddress(Identifiers.toHex(account));
        check(ok && parsed == account, "round trip");
    }

    function test_fuzz_otherTextsAreNoAddresses(string memory text) external pure {
        (bool ok, address parsed) = Identifiers.parseAddress(text);
        check(ok == (bytes(text).length == 42 && ok) && (ok || parsed == address(0)), "no address");
    }

    function test_fuzz_changedAddressTextIsAnotherAddressOrNone(address account, uint256 place, uint8 character) external pure {
        string memory text = Identifiers.toHex(account);
        bytes memory raw = bytes(text);
        uint256 i = within(place, 0, 41);
        bytes1 before = raw[i];
        raw[i] = bytes1(character);
        (bool ok, address parsed) = Identifiers.parseAddress(string(raw));
        bool sameDigit = character == uint8(before) || (uint8(before) >= 0x61 && character == uint8(before) - 32 && i > 1);
        check(sameDigit ? parsed == account : (!ok || parsed != account), "changed character");
    }

    function test_fuzz_decimal(uint256 value) external pure {
        bytes memory text = bytes(Identifiers.toDecimal(value));
        uint256 parsed = 0;
        for (uint256 i = 0; i < text.length; ++i) parsed = parsed * 10 + (uint8(text[i]) - 48);
        check(parsed == value && (value == 0 || text[0] != "0"), "decimal");
    }

    function test_fuzz_assignedIdentifiersAreValid(uint64 number) external pure {
        string memory id = string.concat(Identifiers.ASSIGNED_PREFIX, Identifiers.toDecimal(number));
        check(Identifiers.isClientId(id) && Identifiers.isReservedId(id), "assigned id");
    }

    function test_fuzz_identifiersNeverHoldKeyBytes(bytes memory raw) external pure {
        if (!Identifiers.isClientId(string(raw))) return;
        for (uint256 i = 0; i < raw.length; ++i) check(raw[i] > 0x20 && raw[i] < 0x7f && raw[i] != "/", "separator in an identifier");
    }
}
