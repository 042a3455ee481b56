// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What maker and taker agree on: leg A on the maker's chain against leg B on the taker's.
/// @param maker gives leg A, on chain A
/// @param makerReceiver gets leg B, on chain B
/// @param taker gives leg B, on chain B
/// @param takerReceiver gets leg A, on chain A
/// @param tokenA ERC-20 of leg A, on chain A
/// @param amountA in the token's smallest unit, not zero
/// @param tokenB ERC-20 of leg B, on chain B
/// @param amountB in the token's smallest unit, not zero
/// @param salt tells equal trades apart
struct SwapTerms {
    address maker;
    address makerReceiver;
    address taker;
    address takerReceiver;
    address tokenA;
    uint256 amountA;
    address tokenB;
    uint256 amountB;
    bytes32 salt;
}

/// @notice How far a leg is. Leg A: None, Held, then Paid or Returned. Leg B: None or Held, then Paid.
enum LegState {
    None,
    Held,
    Paid,
    Returned
}
