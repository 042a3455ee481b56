// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { AccessManager } from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import { Router } from "../src/Router.sol";
import { IClientStatus, ILightClient } from "../src/interfaces/ILightClient.sol";
import { IRouter } from "../src/interfaces/IRouter.sol";
import { Ics24Host } from "../src/libraries/Ics24Host.sol";
import {
    ClientStatus,
    CounterpartyInfo,
    Height,
    MsgVerifyMembership,
    MsgVerifyNonMembership,
    UpdateResult
} from "../src/types/Client.sol";
import { MsgAckPacket, MsgRecvPacket, MsgSendPacket, MsgTimeoutPacket, Packet, Payload } from "../src/types/Packet.sol";
import { HostileApp } from "./support/HostileApp.sol";
import { TestBase } from "./TestBase.t.sol";

/// @notice Believes everything at the time that it is told: these suites are about the router's own rules. What a real
/// client believes is tested with HubClient.
contract BelievingClient is ILightClient, IClientStatus {
    uint256 public counterpartyTime;

    function setTime(uint256 time) external {
        counterpartyTime = time;
    }

    function updateClient(bytes calldata) external pure returns (UpdateResult) {
        return UpdateResult.NoOp;
    }

    function verifyMembership(MsgVerifyMembership calldata) external view returns (uint256) {
        return counterpartyTime;
    }

    function verifyNonMembership(MsgVerifyNonMembership calldata) external view returns (uint256) {
        return counterpartyTime;
    }

    function misbehaviour(bytes calldata) external { }

    function getClientState() external pure returns (bytes memory) {
        return "";
    }

    function clientType() external pure returns (string memory) {
        return "believing";
    }

    function servesClient(address, string calldata) external pure returns (bool) {
        return true;
    }

    function status() external pure returns (ClientStatus) {
        return ClientStatus.Active;
    }

    function latestHeight() external pure returns (Height memory) {
        return Height(0, 1);
    }

    function latestTimestamp() external pure returns (uint256) {
        return 1;
    }

    function identity() external pure returns (bytes32) {
        return 0;
    }

    function provenStore() external view returns (bytes32) {
        return bytes32(uint256(uint160(address(this))));
    }
}

contract RouterTest is TestBase {
    uint256 private constant START = 1_700_000_000;
    string private constant CLIENT = "client-0";
    string private constant REMOTE = "bft-evm-0";

    Router private router;
    BelievingClient private client;
    HostileApp private app;

    function setUp() external {
        vm.warp(START);
        AccessManager manager = new AccessManager(address(this));
        router = new Router(address(manager));
        client = new BelievingClient();
        client.setTime(START);
        bytes[] memory prefix = new bytes[](1);
        router.addClient(CounterpartyInfo(REMOTE, prefix), address(client));
        app = new HostileApp();
        router.addIBCApp("app.port", address(app));
    }

    function payload(bytes memory value) private pure returns (Payload[] memory payloads) {
        payloads = new Payload[](1);
        payloads[0] = Payload("app.port", "app.port", "v1", "raw", value);
    }

    function incoming(uint64 sequence, uint64 timeout, bytes memory value) private pure returns (MsgRecvPacket memory) {
        return MsgRecvPacket(Packet(sequence, REMOTE, CLIENT, timeout, payload(value)), "", Height(0, 1));
    }

    function outgoing(uint64 sequence, uint64 timeout, bytes memory value) private pure returns (Packet memory) {
        return Packet(sequence, CLIENT, REMOTE, timeout, payload(value));
    }

    function test_fuzz_receiveOnlyBeforeTheTimeout(uint64 timeout, uint64 now_) external {
        now_ = uint64(within(now_, START, START + 1000 days));
        vm.warp(now_);
        if (timeout <= now_) vm.expectPartialRevert(IRouter.IBCInvalidTimeoutTimestamp.selector);
        router.recvPacket(incoming(1, timeout, "x"));
    }

    function test_fuzz_sendOnlyWithinADay(uint64 timeout) external {
        bool allowed = timeout > START && timeout <= START + 1 days;
        if (!allowed) vm.expectRevert();
        uint64 sequence = app.send(IRouter(address(router)), MsgSendPacket(CLIENT, timeout, payload("x")[0]));
        check(!allowed || sequence == 1, "sequence");
    }

    function test_fuzz_timeoutNotBeforeItsTime(uint64 timeout, uint64 counterpartyTime) external {
        timeout = uint64(within(timeout, START + 1, START + 1 days));
        app.send(IRouter(address(router)), MsgSendPacket(CLIENT, timeout, payload("x")[0]));
        client.setTime(counterpartyTime);
        if (counterpartyTime < timeout) vm.expectPartialRevert(IRouter.IBCInvalidTimeoutTimestamp.selector);
        router.timeoutPacket(MsgTimeoutPacket(outgoing(1, timeout, "x"), "", Height(0, 1)));
    }

    function test_fuzz_onlyTheSentPacketIsSettled(bytes memory value, uint64 timeout, uint64 sequence) external {
        vm.assume(value.length != 0 && value.length < 1000);
        uint64 sent = uint64(START + 100);
        app.send(IRouter(address(router)), MsgSendPacket(CLIENT, sent, payload(value)[0]));
        timeout = timeout % 3 == 0 ? sent : timeout;
        sequence = 1 + sequence % 2;
        Packet memory packet = outgoing(sequence, timeout, value);
        if (sequence == 1 && timeout != sent) vm.expectPartialRevert(IRouter.IBCPacketCommitmentMismatch.selector);
        router.ackPacket(MsgAckPacket(packet, "ok", "", Height(0, 1)));
        check(app.acknowledged() == (sequence == 1 && timeout == sent ? 1 : 0), "acknowledged");
    }

    /// @notice Any order of relayed messages, repeated and mixed: each packet is received once and settled once.
    function test_fuzz_anyScheduleSettlesEachPacketOnce(uint256 seed) external {
        uint64 timeout = uint64(START + 500);
        for (uint256 i = 0; i < 3; ++i) {
            app.send(IRouter(address(router)), MsgSendPacket(CLIENT, timeout, payload(abi.encode(i))[0]));
        }
        client.setTime(timeout);
        bool[4] memory settled;
        bool[4] memory received;
        for (uint256 step = 0; step < 20; ++step) {
            uint256 drawn = uint256(keccak256(abi.encode(seed, step)));
            uint64 sequence = uint64(1 + (drawn >> 8) % 3);
            (uint256 receivedBefore, uint256 settledBefore) = (app.received(), app.acknowledged() + app.timedOut());
            if (drawn % 3 == 0) {
                router.recvPacket(incoming(sequence, timeout, "in"));
                check(app.received() - receivedBefore == (received[sequence] ? 0 : 1), "received twice");
                received[sequence] = true;
            } else {
                Packet memory packet = outgoing(sequence, timeout, abi.encode(uint256(sequence - 1)));
                if (drawn % 3 == 1) router.ackPacket(MsgAckPacket(packet, "ok", "", Height(0, 1)));
                else router.timeoutPacket(MsgTimeoutPacket(packet, "", Height(0, 1)));
                check(app.acknowledged() + app.timedOut() - settledBefore == (settled[sequence] ? 0 : 1), "settled twice");
                settled[sequence] = true;
                check(router.getCommitment(keccak256(Ics24Host.commitmentKey(CLIENT, sequence))) == 0, "commitment left");
            }
        }
    }

    function test_fuzz_answersOfAnAppAreBounded(uint256 length) external {
        length = within(length, 0, 40_000);
        app.set(HostileApp.Mode.ReturnLength, "", length, address(0), "");
        bool allowed = length != 0 && length <= 16 * 1024;
        if (!allowed) vm.expectRevert();
        router.recvPacket(incoming(1, uint64(START + 1), "x"));
        check(app.received() == (allowed ? 1 : 0), "received");
    }

    function test_fuzz_refusalsCostNoMoreThanTheirBound(uint256 length) external {
        length = within(length, 1, 200_000);
        app.set(HostileApp.Mode.RevertLength, "", length, address(0), "");
        router.recvPacket(incoming(1, uint64(START + 1), "x"));
        bytes32 stored = router.getCommitment(keccak256(Ics24Host.acknowledgementKey(CLIENT, 1)));
        check(stored == Ics24Host.acknowledgementCommitment(abi.encodePacked(Ics24Host.ERROR_ACKNOWLEDGEMENT)), "sentinel");
    }

    function test_gas_receive() external {
        router.recvPacket(incoming(1, uint64(START + 1), new bytes(200)));
    }

    function test_gas_acknowledge() external {
        app.send(IRouter(address(router)), MsgSendPacket(CLIENT, uint64(START + 1), payload(new bytes(200))[0]));
        router.ackPacket(MsgAckPacket(outgoing(1, uint64(START + 1), new bytes(200)), "ok", "", Height(0, 1)));
    }
}
