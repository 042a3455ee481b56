// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IClientRegistry } from "../interfaces/IClientRegistry.sol";
import { IClientStatus } from "../interfaces/ILightClient.sol";
import { IRoutedHubClient } from "../interfaces/IRoutedHubClient.sol";

/// @title A chain's client of the hub, as its router has it at each call
/// @notice A router takes no client twice, so what is kept under the address of one that was migrated away is never read again.
/// Whoever may migrate clients on the router is trusted with that.
abstract contract RoutedHubClient is IRoutedHubClient {
    IClientRegistry private immutable ROUTER;
    /// @dev An identifier has at most 64 bytes: two words that cost no storage.
    uint256 private immutable CLIENT_ID_LENGTH;
    bytes32 private immutable CLIENT_ID_HEAD;
    bytes32 private immutable CLIENT_ID_TAIL;

    /// @param router_ router of this chain
    /// @param clientId_ its client of the hub, a HubClient
    constructor(IClientRegistry router_, string memory clientId_) {
        address client = address(router_.getClient(clientId_));
        require(
            keccak256(bytes(IClientStatus(client).clientType())) == keccak256("07-tendermint"),
            NotAHubClient(client)
        );
        ROUTER = router_;
        bytes memory id = abi.encodePacked(clientId_, bytes32(0), bytes32(0));
        bytes32 tail;
        assembly ("memory-safe") {
            tail := mload(add(id, 0x40))
        }
        (CLIENT_ID_LENGTH, CLIENT_ID_HEAD, CLIENT_ID_TAIL) = (bytes(clientId_).length, bytes32(id), tail);
    }

    /// @inheritdoc IRoutedHubClient
    function router() external view returns (address) {
        return address(ROUTER);
    }

    /// @inheritdoc IRoutedHubClient
    function clientId() public view returns (string memory id) {
        bytes32 head = CLIENT_ID_HEAD;
        bytes32 tail = CLIENT_ID_TAIL;
        uint256 length = CLIENT_ID_LENGTH;
        id = new string(64);
        assembly ("memory-safe") {
            mstore(id, length)
            mstore(add(id, 0x20), head)
            mstore(add(id, 0x40), tail)
        }
    }

    /// @inheritdoc IRoutedHubClient
    function hubClient() public view returns (address) {
        return address(ROUTER.getClient(clientId()));
    }
}
