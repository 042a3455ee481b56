// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Makes a call once enough of its owners have confirmed it: what tests give a role to where a contract has one.
contract Multisig {
    error NotAnOwner(address sender);
    error ConfirmedAlready(address owner);

    uint256 public immutable threshold;
    mapping(address account => bool owner) public isOwner;
    mapping(bytes32 call => mapping(address owner => bool confirmed)) public hasConfirmed;
    mapping(bytes32 call => uint256 owners) public confirmations;

    constructor(address[] memory owners, uint256 threshold_) {
        threshold = threshold_;
        for (uint256 i = 0; i < owners.length; ++i) {
            isOwner[owners[i]] = true;
        }
    }

    /// @notice The confirmation that reaches the threshold makes the call, and reverts as it does.
    /// @param number tells calls apart that are alike otherwise
    function confirm(address to, bytes calldata data, uint256 number) external {
        require(isOwner[msg.sender], NotAnOwner(msg.sender));
        bytes32 call = keccak256(abi.encode(to, data, number));
        require(!hasConfirmed[call][msg.sender], ConfirmedAlready(msg.sender));
        hasConfirmed[call][msg.sender] = true;
        if (++confirmations[call] != threshold) return;
        (bool success, bytes memory returned) = to.call(data);
        if (!success) {
            assembly ("memory-safe") {
                revert(add(returned, 0x20), mload(returned))
            }
        }
    }
}
