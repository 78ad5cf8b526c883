// Reads a log in a folder with Go's own sumdb code: note.Open, authenticated tile reads, record hashes, proofs.
// Ours is only the map from its tile paths to C2SP's, and from a bundle to entries.
package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type folder string

func (f folder) Height() int { return 8 }

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, tile := range tiles {
		path := strings.TrimPrefix(tile.Path(), "tile/8/")
		data, err := os.ReadFile(filepath.Join(string(f), "tile", path))
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}

func (f folder) SaveTiles(tiles []tlog.Tile, data [][]byte) {}

func must(err error) {
	if err != nil {
		fmt.Println("FAILED", err)
		os.Exit(1)
	}
}

func main() {
	root, vkey := os.Args[1], strings.TrimSpace(os.Args[2])
	data, err := os.ReadFile(filepath.Join(root, "checkpoint"))
	must(err)
	verifier, err := note.NewVerifier(vkey)
	must(err)
	opened, err := note.Open(data, note.VerifierList(verifier))
	must(err)
	lines := strings.Split(opened.Text, "\n")
	if lines[0] != verifier.Name() {
		must(fmt.Errorf("origin %q", lines[0]))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err)
	var hash tlog.Hash
	must(hash.UnmarshalJSON([]byte("\"" + lines[2] + "\"")))
	tree := tlog.Tree{N: size, Hash: hash}
	reader := tlog.TileHashReader(tree, folder(root))
	for at := int64(0); at < size; {
		width := size - at
		if width > 256 {
			width = 256
		}
		tile := tlog.Tile{H: 8, L: 0, N: at / 256, W: int(width)}
		path := strings.TrimPrefix(tile.Path(), "tile/8/0/")
		bundle, err := os.ReadFile(filepath.Join(root, "tile", "entries", path))
		must(err)
		var indexes []int64
		var want []tlog.Hash
		for i := int64(0); i < width; i++ {
			n := int(binary.BigEndian.Uint16(bundle))
			want = append(want, tlog.RecordHash(bundle[2:2+n]))
			indexes = append(indexes, tlog.StoredHashIndex(0, at+i))
			bundle = bundle[2+n:]
		}
		if len(bundle) != 0 {
			must(fmt.Errorf("%d bytes after the last entry", len(bundle)))
		}
		got, err := reader.ReadHashes(indexes)
		must(err)
		for i := range got {
			if !bytes.Equal(got[i][:], want[i][:]) {
				must(fmt.Errorf("entry %d", at+int64(i)))
			}
		}
		at += width
	}
	for _, n := range []int64{0, size / 3, size - 1} {
		proof, err := tlog.ProveRecord(size, n, reader)
		must(err)
		leaf, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, n)})
		must(err)
		must(tlog.CheckRecord(proof, size, hash, n, leaf[0]))
		var ours []string
		for _, one := range proof {
			ours = append(ours, one.String())
		}
		fmt.Println("record", n, strings.Join(ours, " "))
		older, err := tlog.TreeHash(n+1, reader)
		must(err)
		grown, err := tlog.ProveTree(size, n+1, reader)
		must(err)
		must(tlog.CheckTree(grown, size, hash, n+1, older))
		ours = nil
		for _, one := range grown {
			ours = append(ours, one.String())
		}
		fmt.Println("tree", n+1, strings.Join(ours, " "))
	}
	fmt.Println("OK", size)
}
