// A log, its witnesses and its readers by golang.org/x/mod/sumdb and transparency-dev/formats: JSON in, JSON out.
//
//	tlog_peer log < {"origin": …, "entries": […], "witnesses": […]}   a log with a checkpoint and proofs of every size
//	tlog_peer open < {"log": VKEY, "witnesses": [VKEY…], "notes": […]}   what it says of each note
package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/transparency-dev/formats/log"
	f_note "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type request struct {
	Origin    string   `json:"origin"`
	Entries   [][]byte `json:"entries"`
	Log       string   `json:"log"`
	Witnesses []string `json:"witnesses"`
	Notes     [][]byte `json:"notes"`
}

type checkpoint struct {
	Size int64  `json:"size"`
	Root []byte `json:"root"`
	Note []byte `json:"note"`
}

type proof struct {
	First int64    `json:"first"`
	Size  int64    `json:"size"`
	Nodes [][]byte `json:"nodes"`
}

type grown struct {
	Origin      string       `json:"origin"`
	Log         string       `json:"log"`
	Witnesses   []string     `json:"witnesses"`
	Entries     [][]byte     `json:"entries"`
	Checkpoints []checkpoint `json:"checkpoints"`
	Consistency []proof      `json:"consistency"`
	Inclusion   []proof      `json:"inclusion"`
}

type opened struct {
	Error   string   `json:"error,omitempty"`
	Signers []string `json:"signers"`
	Origin  string   `json:"origin"`
	Size    uint64   `json:"size"`
	Root    []byte   `json:"root"`
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for at, index := range indexes {
		found[at] = h[index]
	}
	return found, nil
}

func asNodes(found []tlog.Hash) [][]byte {
	nodes := [][]byte{}
	for _, one := range found {
		nodes = append(nodes, append([]byte(nil), one[:]...))
	}
	return nodes
}

func grow(asked request) grown {
	skey, vkey, err := note.GenerateKey(rand.Reader, asked.Origin)
	check(err)
	logSigner, err := note.NewSigner(skey)
	check(err)
	signers := []note.Signer{logSigner}
	made := grown{Origin: asked.Origin, Log: vkey, Entries: asked.Entries}
	for _, name := range asked.Witnesses {
		skey, vkey, err := note.GenerateKey(rand.Reader, name)
		check(err)
		signer, err := f_note.NewSignerForCosignatureV1(skey)
		check(err)
		signers = append(signers, signer)
		made.Witnesses = append(made.Witnesses, cosignatureKey(name, vkey, signer.KeyHash()))
	}
	var stored hashes
	for at, entry := range asked.Entries {
		more, err := tlog.StoredHashes(int64(at), entry, stored)
		check(err)
		stored = append(stored, more...)
		size := int64(at + 1)
		root, err := tlog.TreeHash(size, stored)
		check(err)
		text := log.Checkpoint{Origin: asked.Origin, Size: uint64(size), Hash: root[:]}.Marshal()
		signed, err := note.Sign(&note.Note{Text: string(text)}, signers...)
		check(err)
		made.Checkpoints = append(made.Checkpoints, checkpoint{size, append([]byte(nil), root[:]...), signed})
		for first := int64(1); first <= size; first++ {
			tree, err := tlog.ProveTree(size, first, stored)
			check(err)
			made.Consistency = append(made.Consistency, proof{first, size, asNodes(tree)})
		}
	}
	size := int64(len(asked.Entries))
	for at := int64(0); at < size; at++ {
		record, err := tlog.ProveRecord(size, at, stored)
		check(err)
		made.Inclusion = append(made.Inclusion, proof{at, size, asNodes(record)})
	}
	return made
}

// A verifier key of type 4, which note.GenerateKey does not write.
func cosignatureKey(name, vkey string, hash uint32) string {
	parts := strings.SplitN(vkey, "+", 3)
	raw, err := base64.StdEncoding.DecodeString(parts[2])
	check(err)
	raw[0] = 4
	return fmt.Sprintf("%s+%08x+%s", name, hash, base64.StdEncoding.EncodeToString(raw))
}

func open(asked request) []opened {
	logVerifier, err := note.NewVerifier(asked.Log)
	check(err)
	verifiers := []note.Verifier{logVerifier}
	for _, vkey := range asked.Witnesses {
		verifier, err := f_note.NewVerifierForCosignatureV1(vkey)
		check(err)
		verifiers = append(verifiers, verifier)
	}
	said := []opened{}
	for _, raw := range asked.Notes {
		one := opened{Signers: []string{}}
		found, err := note.Open(raw, note.VerifierList(verifiers...))
		var head log.Checkpoint
		if err == nil {
			_, err = head.Unmarshal([]byte(found.Text))
		}
		if err != nil {
			one.Error = err.Error()
		} else {
			one.Origin, one.Size, one.Root = head.Origin, head.Size, head.Hash
			for _, signature := range found.Sigs {
				one.Signers = append(one.Signers, signature.Name)
			}
		}
		said = append(said, one)
	}
	return said
}

func main() {
	var asked request
	check(json.NewDecoder(os.Stdin).Decode(&asked))
	var answer any
	switch {
	case len(os.Args) == 2 && os.Args[1] == "log":
		answer = grow(asked)
	case len(os.Args) == 2 && os.Args[1] == "open":
		answer = open(asked)
	default:
		fmt.Fprintln(os.Stderr, "tlog_peer log | open")
		os.Exit(2)
	}
	check(json.NewEncoder(os.Stdout).Encode(answer))
}
