package main

import (
	"crypto/sha256"
	"encoding/json"

	transfertypes "github.com/cosmos/ibc-go/v10/modules/apps/transfer/types"
)

// judgeTransfer: the message is a payload value of port transfer, the first path element its encoding.
//
// The value is what stock code read, as JSON: denomination path, its voucher hash, amount, sender, receiver, memo.
func judgeTransfer(c Case) (string, []byte, error) {
	data, err := transfertypes.UnmarshalPacketData(c.Message, transfertypes.V1, string(c.Path[0]))
	if err != nil {
		return "", nil, err
	}
	if err := data.ValidateBasic(); err != nil {
		return "", nil, err
	}
	path := data.Token.Denom.Path()
	hash := sha256.Sum256([]byte(path))
	read, err := json.Marshal([]any{
		path, len(data.Token.Denom.Trace), hash[:], data.Token.Amount, data.Sender, data.Receiver, data.Memo,
	})
	return "valid", read, err
}
