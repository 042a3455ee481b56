// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { CounterpartyInfo, UpdateResult } from "../types/Client.sol";
import { ILightClient } from "./ILightClient.sol";

/// @title ICS-02 part of the router: which light client stands behind an identifier
interface IClientRegistry {
    /// @notice A client was added.
    event ICS02ClientAdded(string clientId, CounterpartyInfo counterpartyInfo, address client);
    /// @notice A frozen or expired client was recovered by a substitute.
    event ICS02ClientMigrated(string clientId, CounterpartyInfo counterpartyInfo, address client);
    /// @notice A client took an update message.
    event ICS02ClientUpdated(string clientId, UpdateResult result);
    /// @notice A client was frozen by proof of misbehaviour.
    event ICS02MisbehaviourSubmitted(string clientId);

    /// @notice The identifier breaks the rules of docs/spec/identifiers.md.
    error IBCInvalidClientId(string clientId);
    /// @notice No client has this identifier.
    error IBCClientNotFound(string clientId);
    /// @notice The client has no registered counterparty.
    error IBCCounterpartyClientNotFound(string clientId);
    /// @notice The identifier is taken.
    error IBCClientAlreadyExists(string clientId);
    /// @notice The prefix is empty, or an element other than the last is empty.
    error InvalidMerklePrefix(bytes[] prefix);
    /// @notice The address holds no contract with the light client's views, or is in use already.
    error InvalidLightClient(address client);
    /// @notice Only a client that is frozen or expired is replaced.
    error ClientStillActive(string clientId);
    /// @notice The substitute is of another type, or has other parameters.
    error SubstituteMismatch(address substitute);
    /// @notice The remote client is the counterparty of `clientId` already: recover that one.
    error CounterpartyTaken(string counterpartyId, string clientId);
    /// @notice Recovery changes the light client only, never the counterparty.
    error CounterpartyChanged(string clientId);

    /// @notice Adds a client under the next identifier `client-n` and registers its counterparty. Restricted.
    /// @param counterpartyInfo the client of this chain on the other side, and that side's store prefix
    /// @param client the light client contract
    /// @return the new identifier
    function addClient(CounterpartyInfo calldata counterpartyInfo, address client) external returns (string memory);

    /// @notice Adds a client under a chosen identifier and registers its counterparty. Restricted.
    /// @param clientId 8 to 64 characters, `name-number`, not starting with `client-` or `channel-`
    /// @param counterpartyInfo the client of this chain on the other side, and that side's store prefix
    /// @param client the light client contract
    /// @return the identifier
    function addClient(
        string calldata clientId,
        CounterpartyInfo calldata counterpartyInfo,
        address client
    )
        external
        returns (string memory);

    /// @notice Replaces the light client behind a frozen or expired client by a substitute. Restricted.
    /// @param clientId identifier, which stays
    /// @param counterpartyInfo must equal what is registered
    /// @param client substitute: active, same `identity`; its height may be lower than the client's that it replaces
    function migrateClient(string calldata clientId, CounterpartyInfo calldata counterpartyInfo, address client) external;

    /// @notice Passes an update message to a client. Restricted to relayers.
    /// @param clientId identifier
    /// @param updateMsg encoding defined by the client
    /// @return what the update did
    function updateClient(string calldata clientId, bytes calldata updateMsg) external returns (UpdateResult);

    /// @notice Passes proof of misbehaviour to a client. Open to everyone.
    /// @param clientId identifier
    /// @param misbehaviourMsg encoding defined by the client
    function submitMisbehaviour(string calldata clientId, bytes calldata misbehaviourMsg) external;

    /// @notice The light client contract behind an identifier.
    /// @param clientId identifier
    /// @return the contract; reverts where there is none
    function getClient(string calldata clientId) external view returns (ILightClient);

    /// @notice The registered counterparty of a client.
    /// @param clientId identifier
    /// @return reverts where there is none
    function getCounterparty(string calldata clientId) external view returns (CounterpartyInfo memory);

    /// @notice Number n of the next identifier `client-n`.
    /// @return n
    function getNextClientSeq() external view returns (uint256);
}
