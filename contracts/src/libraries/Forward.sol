// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IMailbox } from "../interfaces/IMailbox.sol";
import { CanonicalAbi } from "./CanonicalAbi.sol";

/// @title Payload formats of the hub's `forward` port (docs/spec/forward.md)
library Forward {
    using CanonicalAbi for bytes;

    string internal constant PORT = "forward";
    string internal constant VERSION = "hutong-forward-1";
    uint256 private constant STAMP_VERSION = 1;
    uint256 private constant HOPS = 1;

    /// @notice What the hub shall send on.
    /// @param nextClient the hub's client of the destination chain
    /// @param timeoutTimestamp T2, absolute Unix seconds
    struct Request {
        string nextClient;
        string destinationPort;
        string version;
        string encoding;
        uint64 timeoutTimestamp;
        bytes value;
    }

    /// @notice Origin of a forwarded payload as the hub proved it.
    struct Stamp {
        string clientId;
        string sourcePort;
        string destinationPort;
        uint64 sequence;
    }

    /// @notice `abi.encode((next_client, destination_port, version, encoding, timeout, value))`.
    function encode(Request memory request) internal pure returns (bytes memory) {
        return abi.encode(request);
    }

    /// @notice Reads the canonical encoding of a stamped payload.
    /// @return stamp version and hop count are checked
    /// @return version of the inner payload
    /// @return encoding of the inner payload
    /// @return value of the inner payload
    function decodeStamped(bytes calldata data)
        internal
        pure
        returns (Stamp memory stamp, string calldata version, string calldata encoding, bytes calldata value)
    {
        uint256 base = 32;
        uint256 stampBase = base + 4 * 32;
        uint256 cursor = stampBase + 6 * 32;
        data.expectWord(0, base);
        data.expectWord(base, stampBase - base);
        require(data.word(stampBase) == STAMP_VERSION, IMailbox.InvalidStamp("version"));
        require(data.word(stampBase + 160) == HOPS, IMailbox.InvalidStamp("hops"));
        uint256 sequence = data.word(stampBase + 128);
        require(sequence != 0 && sequence <= type(uint64).max, IMailbox.InvalidStamp("sequence"));
        stamp.sequence = uint64(sequence);

        bytes calldata field;
        (field, cursor) = data.tail(stampBase + 32, stampBase, cursor);
        stamp.clientId = string(field);
        (field, cursor) = data.tail(stampBase + 64, stampBase, cursor);
        stamp.sourcePort = string(field);
        (field, cursor) = data.tail(stampBase + 96, stampBase, cursor);
        stamp.destinationPort = string(field);
        (field, cursor) = data.tail(base + 32, base, cursor);
        version = string(field);
        (field, cursor) = data.tail(base + 64, base, cursor);
        encoding = string(field);
        (value, cursor) = data.tail(base + 96, base, cursor);
        data.expectEnd(cursor);
    }
}
