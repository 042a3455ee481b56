package main

import (
	"encoding/hex"
	"encoding/json"

	"github.com/cometbft/cometbft/crypto/secp256k1"
	cmttypes "github.com/cometbft/cometbft/types"
)

// Member is a validator's key with the power that it has or shall have.
type Member struct {
	Key   Bytes `json:"key"`
	Power int64 `json:"power"`
}

// Step changes a set, then lets `Turns` proposers have their turn.
type Step struct {
	Changes []Member `json:"changes"`
	Turns   int32    `json:"turns"`
}

// Script starts a set and steps it.
type Script struct {
	Start []Member `json:"start"`
	Steps []Step   `json:"steps"`
}

// StandingMember is one row of a set in its order.
type StandingMember struct {
	Address  string `json:"address"`
	Power    int64  `json:"power"`
	Priority int64  `json:"priority"`
}

// Standing is a set after a step; Refused where CometBFT refused the changes, and the set stayed.
type Standing struct {
	Refused  bool             `json:"refused"`
	Members  []StandingMember `json:"members"`
	Proposer string           `json:"proposer"`
	Total    int64            `json:"total"`
}

func validatorsOf(members []Member) []*cmttypes.Validator {
	found := make([]*cmttypes.Validator, len(members))
	for i, member := range members {
		found[i] = cmttypes.NewValidator(secp256k1.PubKey(member.Key), member.Power)
	}
	return found
}

func standingOf(set *cmttypes.ValidatorSet, refused bool) Standing {
	rows := make([]StandingMember, len(set.Validators))
	for i, member := range set.Validators {
		rows[i] = StandingMember{hex.EncodeToString(member.Address), member.VotingPower, member.ProposerPriority}
	}
	return Standing{refused, rows, hex.EncodeToString(set.GetProposer().Address), set.TotalVotingPower()}
}

// runScript: the message is a Script in JSON; the value is the Standings after the start and after each step, in JSON.
func runScript(c Case) (string, []byte, error) {
	script := new(Script)
	if err := json.Unmarshal(c.Message, script); err != nil {
		return "", nil, err
	}
	set := cmttypes.NewValidatorSet(validatorsOf(script.Start))
	standings := []Standing{standingOf(set, false)}
	for _, step := range script.Steps {
		refused := set.UpdateWithChangeSet(validatorsOf(step.Changes)) != nil
		set.IncrementProposerPriority(step.Turns)
		standings = append(standings, standingOf(set, refused))
	}
	value, err := json.Marshal(standings)
	return "valid", value, err
}
