// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IMessageReceiver, IMessageSender, Origin } from "../../src/interfaces/IMessageReceiver.sol";
import { ITransferSender, TransferOutcome } from "../../src/interfaces/ITransfer.sol";

/// @notice A receiver and sender that does what it is told to, good or bad.
contract HostileReceiver is IMessageReceiver, IMessageSender, ITransferSender {
    enum Mode {
        Answer,
        RevertWithReason,
        RevertWithoutReason,
        Loop,
        ReturnLength,
        RevertLength,
        CallBack,
        MalformedReturn,
        BurnGas,
        WrapFailure
    }

    Mode public mode;
    uint256 public size;
    address public target;
    bytes public data;
    uint256 public calls;
    uint256 public gasSeen;
    bool public callSucceeded;
    bytes public callResult;
    bytes32 public settled;

    error Refused(uint256 size);

    function set(Mode mode_, uint256 size_, address target_, bytes calldata data_) external {
        (mode, size, target, data) = (mode_, size_, target_, data_);
    }

    function onMessage(Origin calldata, string calldata, bytes calldata payload) external returns (bytes memory) {
        gasSeen = gasleft();
        return _act(payload);
    }

    function onMessageSettled(bytes32, bool, bytes calldata result) external {
        gasSeen = gasleft();
        _act(result);
    }

    function onTransferSettled(string calldata clientId, uint64 sequence, TransferOutcome outcome) external {
        gasSeen = gasleft();
        settled = keccak256(abi.encode(msg.sender, clientId, sequence, outcome));
        _act("");
    }

    /// @notice Calls anything with this contract as the caller.
    function execute(address to, bytes calldata input) external returns (bytes memory) {
        (bool success, bytes memory returned) = to.call(input);
        if (!success) {
            assembly ("memory-safe") {
                revert(add(returned, 0x20), mload(returned))
            }
        }
        return returned;
    }

    function _act(bytes memory payload) private returns (bytes memory) {
        ++calls;
        if (mode == Mode.RevertWithReason) revert Refused(size);
        if (mode == Mode.RevertWithoutReason) {
            assembly ("memory-safe") {
                revert(0, 0)
            }
        }
        if (mode == Mode.Loop) {
            uint256 i = 0;
            while (gasleft() != 0) ++i;
        }
        if (mode == Mode.ReturnLength) return new bytes(size);
        if (mode == Mode.RevertLength) {
            uint256 length = size;
            assembly ("memory-safe") {
                revert(0, length)
            }
        }
        if (mode == Mode.CallBack) {
            (callSucceeded, callResult) = target.call(data);
        }
        if (mode == Mode.MalformedReturn) {
            assembly ("memory-safe") {
                mstore(0, 1)
                return(0, 32)
            }
        }
        if (mode == Mode.BurnGas) burn(size, 0);
        if (mode == Mode.WrapFailure) {
            try this.burn(size, 3) { }
            catch {
                revert Refused(size);
            }
        }
        return payload;
    }

    /// @notice Uses up gas, `depth` calls further down, where each call turns the failure of the next into its own reason.
    function burn(uint256 amount, uint256 depth) public {
        if (depth != 0) {
            try this.burn(amount, depth - 1) {
                return;
            } catch {
                revert Refused(depth);
            }
        }
        uint256 start = gasleft();
        while (start - gasleft() < amount) {
            assembly ("memory-safe") {
                pop(keccak256(0, 65536))
            }
        }
    }
}
