// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title A court's orders to let somebody see an exhibit, and every release under one of them
/// @notice Nothing is hidden here: what the custodian hands out without an order is not seen by this contract.
contract ExampleCourtOrders {
    struct Order {
        address reader;
        uint64 until;
        uint32 releases;
        bytes32 exhibit;
    }

    /// @notice Slot 0. Proofs read it from outside, two words each: what is in the first one comes from its low bits up.
    Order[] public orders;
    /// @notice Slot 1: number of the order, shifted left by 64, and the time of the release.
    uint256[] public releases;
    address private immutable COURT;
    address private immutable CUSTODIAN;

    /// @notice The court let this reader see the exhibit until this time.
    event Ordered(uint256 indexed order, bytes32 indexed exhibit, address indexed reader, uint64 until);
    /// @notice The custodian handed it out.
    event Released(uint256 indexed release, uint256 indexed order);

    /// @notice The caller is not whose act this is.
    error NotYours(address caller);
    /// @notice There is no such order.
    error NoOrder(uint256 order);
    /// @notice The order is over, or would never begin.
    error OrderOver(uint64 until);

    /// @param custodian keeps the exhibits, and alone says what was released; the court is who deploys
    constructor(address custodian) {
        (COURT, CUSTODIAN) = (msg.sender, custodian);
    }

    /// @notice Orders that `reader` may see `exhibit`, in its block and before `until`.
    function order(bytes32 exhibit, address reader, uint64 until) external {
        require(msg.sender == COURT, NotYours(msg.sender));
        require(until > block.timestamp, OrderOver(until));
        emit Ordered(orders.length, exhibit, reader, until);
        orders.push(Order(reader, until, 0, exhibit));
    }

    /// @notice Writes a release down, before the custodian hands the exhibit out.
    function release(uint256 number) external {
        require(msg.sender == CUSTODIAN, NotYours(msg.sender));
        require(number < orders.length, NoOrder(number));
        Order storage under = orders[number];
        require(block.timestamp < under.until, OrderOver(under.until));
        ++under.releases;
        emit Released(releases.length, number);
        releases.push((number << 64) | block.timestamp);
    }
}
