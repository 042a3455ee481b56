// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

type Price is uint128;

interface IOracle {
    function poke() external;
}

library Marks {
    type Tag is bytes4;
}

contract Owned {
    address internal owner;
    bool internal paused;
}

/// @notice State variables of every kind, with functions that write and read them: for the tests of storage layouts.
contract StorageProbe is Owned {
    enum State {
        Idle,
        Open,
        Closed
    }

    struct Item {
        uint64 id;
        Price price;
        bool sold;
        State state;
        string title;
        uint40[7] sizes;
        address[] bidders;
    }

    struct Node {
        int24 weight;
        Node[] children;
    }

    struct Packed {
        uint8 small;
        int8 signedSmall;
        uint16 port;
        int64 delta;
        bytes3 code;
        bool flag;
        State state;
        uint96 amount;
    }

    Packed public packed;
    uint256 public total;
    int256 public balance;
    Marks.Tag public tag;
    IOracle public oracle;
    address payable public payee;
    bytes32 public digest;
    string public name;
    bytes public blob;
    Item[] internal items;
    Item internal best;
    Node internal root;
    bool[] public flags;
    uint24[] public trios;
    bytes31[2] public wide;
    uint128[3][2] public grid;
    uint8[][] public jagged;
    string[] public names;

    mapping(address => uint256) public balances;
    mapping(address owner => mapping(address spender => uint128 amount)) public allowances;
    mapping(uint8 => int8) public byUint;
    mapping(int16 => bool) public byInt;
    mapping(bool => uint256) public byBool;
    mapping(bytes4 => bytes4) public byBytes4;
    mapping(bytes32 => address) public byBytes32;
    mapping(string => string) public byString;
    mapping(bytes => bytes) public byBytes;
    mapping(State => uint32) public byState;
    mapping(IOracle => IOracle) public byContract;
    mapping(Price => int128) public byPrice;
    mapping(string => mapping(int256 => Item[])) internal shelves;
    function() external internal callback;

    function ownerAndPause() external view returns (address, bool) {
        return (owner, paused);
    }

    function setSimple(address newOwner, bool newPaused, uint256 newTotal, int256 newBalance, Marks.Tag newTag) external {
        owner = newOwner;
        paused = newPaused;
        total = newTotal;
        balance = newBalance;
        tag = newTag;
    }

    function setPlaces(IOracle newOracle, address payable newPayee, bytes32 newDigest, bytes31[2] calldata newWide) external {
        oracle = newOracle;
        payee = newPayee;
        digest = newDigest;
        wide = newWide;
    }

    function setPacked(Packed calldata value) external {
        packed = value;
    }

    function setText(string calldata newName, bytes calldata newBlob) external {
        name = newName;
        blob = newBlob;
    }

    function setArrays(
        bool[] calldata newFlags,
        uint24[] calldata newTrios,
        uint128[3][2] calldata newGrid,
        string[] calldata newNames
    )
        external
    {
        flags = newFlags;
        trios = newTrios;
        delete names;
        for (uint256 i = 0; i < 2; i++) {
            for (uint256 j = 0; j < 3; j++) {
                grid[i][j] = newGrid[i][j];
            }
        }
        for (uint256 i = 0; i < newNames.length; i++) {
            names.push(newNames[i]);
        }
    }

    function setJagged(uint8[][] calldata rows) external {
        delete jagged;
        for (uint256 i = 0; i < rows.length; i++) {
            jagged.push(rows[i]);
        }
    }

    function grow(int24 weight, int24[] calldata weights) external {
        root.weight = weight;
        for (uint256 i = 0; i < weights.length; i++) {
            root.children.push().weight = weights[i];
            root.children[0].children.push().weight = weights[i];
        }
    }

    function addItem(Item calldata item) external {
        items.push(item);
        best = item;
    }

    function shelve(string calldata shelf, int256 row, Item calldata item) external {
        shelves[shelf][row].push(item);
    }

    function itemAt(uint256 index) external view returns (Item memory) {
        return items[index];
    }

    function bestItem() external view returns (Item memory) {
        return best;
    }

    function shelved(string calldata shelf, int256 row, uint256 index) external view returns (Item memory) {
        return shelves[shelf][row][index];
    }

    function tree() external view returns (int24 weight, int24[] memory children, int24[] memory grandchildren) {
        weight = root.weight;
        children = weightsOf(root);
        grandchildren = root.children.length == 0 ? new int24[](0) : weightsOf(root.children[0]);
    }

    function weightsOf(Node storage node) internal view returns (int24[] memory weights) {
        weights = new int24[](node.children.length);
        for (uint256 i = 0; i < weights.length; i++) {
            weights[i] = node.children[i].weight;
        }
    }

    function setBalances(address who, address spender, uint256 amount, uint128 allowed) external {
        balances[who] = amount;
        allowances[who][spender] = allowed;
    }

    function setByNumbers(uint8 key, int8 value, int16 signedKey, bool flag, State state, uint32 count) external {
        byUint[key] = value;
        byInt[signedKey] = flag;
        byBool[flag] = count;
        byState[state] = count;
    }

    function setByWords(bytes4 small, bytes32 large, IOracle source, Price price, int128 amount) external {
        byBytes4[small] = small;
        byBytes32[large] = address(source);
        byContract[source] = source;
        byPrice[price] = amount;
    }

    function setByTexts(string calldata text, bytes calldata data) external {
        byString[text] = text;
        byBytes[data] = data;
    }

    function setCallback(function() external newCallback) external {
        callback = newCallback;
    }

    function callCallback() external {
        callback();
    }
}

/// @notice State variables that begin where ERC-7201 puts the namespace `hutong.probe`.
contract PlacedProbe is Owned layout at 0x2a9ea951b3710b6349a9d4e78351ce43dfb913832aadd1d8d9b6dfcc4926ee00 {
    uint64 public count;
    mapping(uint256 => string) public notes;

    function set(address newOwner, uint64 newCount, uint256 key, string calldata note) external {
        owner = newOwner;
        count = newCount;
        notes[key] = note;
    }

    function ownerOf() external view returns (address) {
        return owner;
    }
}
