// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ClientStatus, Height, MsgVerifyMembership, MsgVerifyNonMembership, UpdateResult } from "../types/Client.sol";

/// @title Light client, as the public Solidity IBC router calls it
interface ILightClient {
    /// @notice Verifies a header and stores its consensus state, or freezes the client if it contradicts a stored one.
    /// @param updateMsg encoding defined by the client
    /// @return what the update did
    function updateClient(bytes calldata updateMsg) external returns (UpdateResult);

    /// @notice Verifies that a value is stored under a path of the counterparty at a height.
    /// @param msg_ proof, height, path and value
    /// @return Unix seconds of the counterparty's block at the proof height
    function verifyMembership(MsgVerifyMembership calldata msg_) external returns (uint256);

    /// @notice Verifies that nothing is stored under a path of the counterparty at a height.
    /// @param msg_ proof, height and path
    /// @return Unix seconds of the counterparty's block at the proof height
    function verifyNonMembership(MsgVerifyNonMembership calldata msg_) external returns (uint256);

    /// @notice Freezes the client on proof that its chain signed two histories; reverts on anything else.
    /// @param misbehaviourMsg encoding defined by the client
    function misbehaviour(bytes calldata misbehaviourMsg) external;

    /// @notice ABI encoding of the client's own ClientState struct.
    /// @return encoding defined by the client
    function getClientState() external view returns (bytes memory);
}

/// @title What this router asks of a light client beyond the public interface
/// @notice ICS-02 status and the send rule of ICS-04 v2 need both views; recovery needs `identity`.
interface IClientStatus {
    /// @notice Type of the client, the part of its identifier on the hub before the number: tells how to read its bytes.
    /// @return `07-tendermint`, `attestation` …
    function clientType() external view returns (string memory);

    /// @notice Whether this contract may stand behind an identifier. A client whose proofs are made for one client of one
    /// router says no to every other; one that believes the counterparty's own consensus is good anywhere.
    /// @param router the router that asks it
    /// @param clientId identifier on that router
    /// @return yes or no
    function servesClient(address router, string calldata clientId) external view returns (bool);

    /// @notice Status at this block's time.
    /// @return Active, Frozen or Expired
    function status() external view returns (ClientStatus);

    /// @notice Greatest height with a consensus state.
    /// @return the height
    function latestHeight() external view returns (Height memory);

    /// @notice Counterparty time at the latest height.
    /// @return Unix seconds, rounded down
    function latestTimestamp() external view returns (uint256);

    /// @notice Hash of whose store the proofs are of: keccak256(abi.encode(chain, router)), the same for every type of client.
    /// `chain` is an EVM chain's id in decimal, or a Cosmos chain's name without the revision; `router` is empty where a
    /// chain has one store.
    /// @return 32 bytes, comparable only
    function provenStore() external view returns (bytes32);

    /// @notice Hash of client type and immutable parameters; a substitute must have the same.
    /// @return 32 bytes, comparable only
    function identity() external view returns (bytes32);
}
