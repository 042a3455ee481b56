// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IIBCApp } from "../../src/interfaces/IIBCApp.sol";
import { IRouter } from "../../src/interfaces/IRouter.sol";
import {
    MsgSendPacket,
    OnAcknowledgementPacketCallback,
    OnRecvPacketCallback,
    OnTimeoutPacketCallback
} from "../../src/types/Packet.sol";

/// @notice An application that does what it is told to in its callbacks, good or bad.
contract HostileApp is IIBCApp {
    enum Mode {
        Answer,
        RevertWithReason,
        RevertWithoutReason,
        Loop,
        ReturnLength,
        RevertLength,
        CallBack,
        MalformedReturn
    }

    Mode public mode;
    bytes public answer = "ok";
    uint256 public size;
    address public target;
    bytes public data;
    uint256 public received;
    uint256 public acknowledged;
    uint256 public timedOut;
    uint256 public written;
    uint256 public gasSeen;
    bool public callSucceeded;
    bytes public callResult;

    error Refused(uint256 size);

    function set(Mode mode_, bytes calldata answer_, uint256 size_, address target_, bytes calldata data_) external {
        (mode, answer, size, target, data) = (mode_, answer_, size_, target_, data_);
    }

    function send(IRouter router, MsgSendPacket calldata packet) external returns (uint64) {
        return router.sendPacket(packet);
    }

    function onRecvPacket(OnRecvPacketCallback calldata) external returns (bytes memory) {
        gasSeen = gasleft();
        ++received;
        written = 1;
        _act();
        if (mode == Mode.ReturnLength) return new bytes(size);
        if (mode == Mode.MalformedReturn) {
            assembly ("memory-safe") {
                mstore(0, 1)
                return(0, 32)
            }
        }
        return answer;
    }

    function onAcknowledgementPacket(OnAcknowledgementPacketCallback calldata) external {
        gasSeen = gasleft();
        ++acknowledged;
        _act();
    }

    function onTimeoutPacket(OnTimeoutPacketCallback calldata) external {
        gasSeen = gasleft();
        ++timedOut;
        _act();
    }

    function _act() private {
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
        if (mode == Mode.RevertLength) {
            uint256 length = size;
            assembly ("memory-safe") {
                revert(0, length)
            }
        }
        if (mode == Mode.CallBack) {
            (callSucceeded, callResult) = target.call(data);
        }
    }
}
