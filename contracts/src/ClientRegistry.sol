// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { ReentrancyGuard } from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import { IClientRegistry } from "./interfaces/IClientRegistry.sol";
import { IClientStatus, ILightClient } from "./interfaces/ILightClient.sol";
import { Identifiers } from "./libraries/Identifiers.sol";
import { ClientStatus, CounterpartyInfo, UpdateResult } from "./types/Client.sol";

/// @title ICS-02: light clients by identifier
/// @notice A client is bound to its counterparty for good, and a counterparty to one client. Its contract changes only by
/// recovery, which needs a frozen or expired client and a substitute of the same type and parameters.
abstract contract ClientRegistry is IClientRegistry, AccessManaged, ReentrancyGuard {
    mapping(string clientId => ILightClient client) private _clients;
    mapping(string clientId => CounterpartyInfo info) private _counterparties;
    /// @dev By what a light client proves and the remote client's name.
    mapping(bytes32 remote => string clientId) private _clientOfRemote;
    mapping(address account => bool isSystem) internal _systemContracts;
    uint256 private _nextClientSequence;

    /// @inheritdoc IClientRegistry
    function addClient(
        CounterpartyInfo calldata counterpartyInfo,
        address client
    )
        external
        nonReentrant
        restricted
        returns (string memory clientId)
    {
        clientId = string.concat(Identifiers.ASSIGNED_PREFIX, Identifiers.toDecimal(_nextClientSequence++));
        _addClient(clientId, counterpartyInfo, client);
    }

    /// @inheritdoc IClientRegistry
    function addClient(
        string calldata clientId,
        CounterpartyInfo calldata counterpartyInfo,
        address client
    )
        external
        nonReentrant
        restricted
        returns (string memory)
    {
        require(
            Identifiers.isClientId(clientId) && !Identifiers.isReservedId(clientId), IBCInvalidClientId(clientId)
        );
        _addClient(clientId, counterpartyInfo, client);
        return clientId;
    }

    /// @inheritdoc IClientRegistry
    function migrateClient(
        string calldata clientId,
        CounterpartyInfo calldata counterpartyInfo,
        address client
    )
        external
        nonReentrant
        restricted
    {
        IClientStatus subject = IClientStatus(address(getClient(clientId)));
        require(subject.status() != ClientStatus.Active, ClientStillActive(clientId));
        require(
            keccak256(abi.encode(counterpartyInfo)) == keccak256(abi.encode(_counterparties[clientId])),
            CounterpartyChanged(clientId)
        );
        _claim(client, clientId);
        IClientStatus substitute = IClientStatus(client);
        // its height may be lower: one that somebody signed far ahead would otherwise be for ever (ADR 0014)
        require(substitute.identity() == subject.identity(), SubstituteMismatch(client));
        _clients[clientId] = ILightClient(client);
        emit ICS02ClientMigrated(clientId, counterpartyInfo, client);
    }

    /// @inheritdoc IClientRegistry
    function updateClient(
        string calldata clientId,
        bytes calldata updateMsg
    )
        external
        nonReentrant
        restricted
        returns (UpdateResult result)
    {
        result = getClient(clientId).updateClient(updateMsg);
        emit ICS02ClientUpdated(clientId, result);
    }

    /// @inheritdoc IClientRegistry
    function submitMisbehaviour(string calldata clientId, bytes calldata misbehaviourMsg) external nonReentrant {
        getClient(clientId).misbehaviour(misbehaviourMsg);
        emit ICS02MisbehaviourSubmitted(clientId);
    }

    /// @inheritdoc IClientRegistry
    function getNextClientSeq() external view returns (uint256) {
        return _nextClientSequence;
    }

    /// @inheritdoc IClientRegistry
    function getClient(string memory clientId) public view returns (ILightClient client) {
        client = _clients[clientId];
        require(address(client) != address(0), IBCClientNotFound(clientId));
    }

    /// @inheritdoc IClientRegistry
    function getCounterparty(string memory clientId) public view returns (CounterpartyInfo memory info) {
        info = _counterparties[clientId];
        require(bytes(info.clientId).length != 0, IBCCounterpartyClientNotFound(clientId));
    }

    function _addClient(string memory clientId, CounterpartyInfo calldata info, address client) private {
        require(address(_clients[clientId]) == address(0), IBCClientAlreadyExists(clientId));
        require(Identifiers.isClientId(info.clientId), IBCInvalidClientId(info.clientId));
        uint256 elements = info.merklePrefix.length;
        require(elements != 0, InvalidMerklePrefix(info.merklePrefix));
        for (uint256 i = 0; i < elements - 1; ++i) {
            require(info.merklePrefix[i].length != 0, InvalidMerklePrefix(info.merklePrefix));
        }
        _claim(client, clientId);
        _bindRemote(clientId, info.clientId, client);
        _clients[clientId] = ILightClient(client);
        _counterparties[clientId] = info;
        emit ICS02ClientAdded(clientId, info, client);
    }

    /// @dev One light client serves one identifier, and it must be active when it is taken into use.
    function _claim(address client, string memory clientId) private {
        require(client.code.length != 0 && !_systemContracts[client], InvalidLightClient(client));
        require(IClientStatus(client).status() == ClientStatus.Active, InvalidLightClient(client));
        require(IClientStatus(client).servesClient(address(this), clientId), InvalidLightClient(client));
        _systemContracts[client] = true;
    }

    /// @dev Receipts and acknowledgements lie under the remote client's name: two clients with one counterparty would settle
    /// each other's packets. Whoever made a second one instead of recovering the first is told so.
    function _bindRemote(string memory clientId, string memory remoteClientId, address client) private {
        bytes32 remote = keccak256(abi.encode(IClientStatus(client).provenStore(), remoteClientId));
        string memory bound = _clientOfRemote[remote];
        require(bytes(bound).length == 0, CounterpartyTaken(remoteClientId, bound));
        _clientOfRemote[remote] = clientId;
    }
}
