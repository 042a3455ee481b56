package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// Bytes is hex without prefix in JSON.
type Bytes []byte

// UnmarshalJSON reads hex.
func (b *Bytes) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	raw, err := hex.DecodeString(text)
	*b = raw
	return err
}

// StoredConsensusState is one consensus state that the client's owner holds.
type StoredConsensusState struct {
	RevisionNumber uint64 `json:"revision_number"`
	RevisionHeight uint64 `json:"revision_height"`
	State          Bytes  `json:"state"`
}

// Case is one question. Protobuf messages are bare (no Any).
type Case struct {
	ID              string                 `json:"id"`
	Kind            string                 `json:"kind"`
	NowNs           int64                  `json:"now_ns"`
	ClientState     Bytes                  `json:"client_state"`
	ConsensusStates []StoredConsensusState `json:"consensus_states"`
	Message         Bytes                  `json:"message"`
	RevisionNumber  uint64                 `json:"revision_number"`
	RevisionHeight  uint64                 `json:"revision_height"`
	Path            []Bytes                `json:"path"`
	Value           Bytes                  `json:"value"`
}

// Verdict is what stock code says: valid, invalid, misbehaviour, or panic; Value is what was asked for beside it.
// TookNs covers the judge alone, from bytes to verdict.
type Verdict struct {
	ID      string `json:"id"`
	Verdict string `json:"verdict"`
	Error   string `json:"error,omitempty"`
	Value   string `json:"value,omitempty"`
	TookNs  int64  `json:"took_ns"`
}

func judge(c Case) (verdict Verdict) {
	verdict = Verdict{ID: c.ID}
	defer func() {
		if cause := recover(); cause != nil {
			verdict.Verdict, verdict.Error = "panic", fmt.Sprint(cause)
		}
	}()
	judges := map[string]func(Case) (string, []byte, error){
		"create":             judgeCreate,
		"header":             judgeHeader,
		"misbehaviour":       judgeMisbehaviour,
		"upgrade":            judgeUpgrade,
		"membership":         judgeMembership,
		"non_membership":     judgeNonMembership,
		"header_hash":        hashHeader,
		"validator_set_hash": hashValidatorSet,
		"commit_hash":        hashCommit,
		"block_hashes":       hashBlock,
		"consensus_hash":     hashConsensusParams,
		"vote_sign_bytes":    signBytes,
		"transfer":           judgeTransfer,
		"validator_changes":  runScript,
		"open_client":        openClient,
		"advance_client":     advanceClient,
	}
	judgeOne, known := judges[c.Kind]
	if !known {
		verdict.Verdict, verdict.Error = "unknown kind", c.Kind
		return verdict
	}
	start := time.Now()
	word, value, err := judgeOne(c)
	verdict.TookNs = time.Since(start).Nanoseconds()
	verdict.Verdict, verdict.Value = word, hex.EncodeToString(value)
	if err != nil {
		verdict.Verdict, verdict.Error = "invalid", err.Error()
	}
	return verdict
}
