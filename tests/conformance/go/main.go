// SPDX-License-Identifier: Apache-2.0

// Judge reads what the ledger publishes with the Go project's own packages, which share no code with ours.
//
//	judge checkpoint VKEY FILE   accepts a signed checkpoint and prints its text
//	judge receipt    VKEY FILE   accepts a .tlog-proof with the entry in its extra line and prints the index
//
// It exits 0 when it accepts, 1 when it refuses.
package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if len(os.Args) != 4 {
		refuse("usage: judge checkpoint|receipt VKEY FILE")
	}
	data, err := os.ReadFile(os.Args[3])
	if err != nil {
		refuse(err.Error())
	}
	switch os.Args[1] {
	case "checkpoint":
		fmt.Print(open(os.Args[2], data))
	case "receipt":
		fmt.Println(receipt(os.Args[2], string(data)))
	default:
		refuse("unknown command")
	}
}

func refuse(reason string) {
	fmt.Fprintln(os.Stderr, reason)
	os.Exit(1)
}

// open gives the text of a note that the key has signed.
func open(vkey string, data []byte) string {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		refuse(err.Error())
	}
	opened, err := note.Open(data, note.VerifierList(verifier))
	if err != nil {
		refuse(err.Error())
	}
	return opened.Text
}

// receipt gives the index of the entry that the receipt proves.
func receipt(vkey, text string) int64 {
	head, checkpoint, found := strings.Cut(text, "\n\n")
	if !found {
		refuse("no checkpoint")
	}
	lines := strings.Split(head, "\n")
	if len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		refuse("not a tlog-proof with extra data")
	}
	entry := decode(after(lines[1], "extra "))
	index := number(after(lines[2], "index "))
	var path tlog.RecordProof
	for _, line := range lines[3:] {
		path = append(path, hash(line))
	}
	head3 := strings.Split(open(vkey, []byte(checkpoint)), "\n")
	if len(head3) < 3 {
		refuse("not a checkpoint")
	}
	if err := tlog.CheckRecord(path, number(head3[1]), hash(head3[2]), index, tlog.RecordHash(entry)); err != nil {
		refuse(err.Error())
	}
	return index
}

func after(line, prefix string) string {
	if !strings.HasPrefix(line, prefix) {
		refuse("expected a line that starts with " + prefix)
	}
	return strings.TrimPrefix(line, prefix)
}

func decode(text string) []byte {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		refuse(err.Error())
	}
	return data
}

func number(text string) int64 {
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		refuse(err.Error())
	}
	return value
}

func hash(text string) tlog.Hash {
	value, err := tlog.ParseHash(text)
	if err != nil {
		refuse(err.Error())
	}
	return value
}
