// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Forward } from "../src/libraries/Forward.sol";
import { Gmp } from "../src/libraries/Gmp.sol";
import { TestBase } from "./TestBase.t.sol";

/// @notice Makes the libraries' calldata functions callable.
contract PayloadReader {
    function gmp(bytes calldata data) external pure returns (Gmp.PacketData memory) {
        (string calldata sender, string calldata receiver, bytes calldata salt, bytes calldata payload, string calldata memo) = Gmp.decode(data);
        return Gmp.PacketData(sender, receiver, salt, payload, memo);
    }

    function stamped(bytes calldata data) external pure returns (bytes memory) {
        (Forward.Stamp memory stamp, string calldata version, string calldata encoding, bytes calldata value) = Forward.decodeStamped(data);
        return abi.encode(Stamped(StampFields(1, stamp.clientId, stamp.sourcePort, stamp.destinationPort, stamp.sequence, 1), version, encoding, value));
    }

    function resultOf(bytes calldata acknowledgement) external pure returns (bytes memory) {
        return Gmp.resultOf(acknowledgement);
    }

    struct StampFields {
        uint8 version;
        string clientId;
        string sourcePort;
        string destinationPort;
        uint64 sequence;
        uint8 hops;
    }

    struct Stamped {
        StampFields stamp;
        string version;
        string encoding;
        bytes value;
    }
}

contract PayloadsTest is TestBase {
    PayloadReader private reader = new PayloadReader();

    function test_fuzz_gmpRoundTrip(Gmp.PacketData memory data) external view {
        check(keccak256(abi.encode(reader.gmp(abi.encode(data)))) == keccak256(abi.encode(data)), "round trip");
    }

    function test_fuzz_onlyCanonicalGmpIsRead(Gmp.PacketData memory data, uint256 place, uint8 flip) external view {
        bytes memory encoded = abi.encode(data);
        uint256 i = place % encoded.length;
        encoded[i] = bytes1(uint8(encoded[i]) ^ flip);
        try reader.gmp(encoded) returns (Gmp.PacketData memory read) {
            check(keccak256(abi.encode(read)) == keccak256(encoded), "a second encoding of the same data");
        } catch { }
    }

    function test_fuzz_onlyCanonicalStampsAreRead(PayloadReader.Stamped memory data, uint256 place, uint8 flip) external view {
        data.stamp.version = 1;
        data.stamp.hops = 1;
        if (data.stamp.sequence == 0) data.stamp.sequence = 1;
        bytes memory encoded = abi.encode(data);
        check(keccak256(reader.stamped(encoded)) == keccak256(encoded), "round trip");
        uint256 i = place % encoded.length;
        encoded[i] = bytes1(uint8(encoded[i]) ^ flip);
        try reader.stamped(encoded) returns (bytes memory again) {
            check(keccak256(again) == keccak256(encoded), "a second encoding of the same data");
        } catch { }
    }

    function test_fuzz_anyBytesGiveDataOrARefusal(bytes memory data) external view {
        try reader.gmp(data) returns (Gmp.PacketData memory read) {
            check(keccak256(abi.encode(read)) == keccak256(data), "not canonical");
        } catch (bytes memory reason) {
            check(reason.length != 0, "a refusal without reason looks like gas that ran out");
        }
        try reader.stamped(data) { }
        catch (bytes memory reason) {
            check(reason.length != 0, "a refusal without reason looks like gas that ran out");
        }
    }

    function test_fuzz_resultOfNeverReverts(bytes memory acknowledgement, bytes memory result) external view {
        reader.resultOf(acknowledgement);
        check(keccak256(reader.resultOf(Gmp.encodeAcknowledgement(result))) == keccak256(result), "result");
    }
}
