// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Who stands on a chain's client of the hub
interface IRoutedHubClient {
    /// @notice Not a contract, or a client of another type.
    error NotAHubClient(address client);

    /// @notice The chain's client of the hub, as the router has it now. Whoever may migrate clients there is trusted with it.
    /// @return address of a HubClient
    function hubClient() external view returns (address);

    /// @notice Router that is asked for it.
    /// @return address
    function router() external view returns (address);

    /// @notice Identifier on that router.
    /// @return text such as `client-0`
    function clientId() external view returns (string memory);
}
