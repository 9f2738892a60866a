package source

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
)

const (
	minObject  = 9 // one byte of header, and the shortest that zlib makes
	maxObjects = 5_000_000
)

// savePack adds what a server sent to the repository whose files are in dir, whole or not at all. The library would index the pack in a
// goroutine of its own, where a panic over a hostile one could not be caught.
func savePack(dir string, pack io.Reader) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("what the server sent cannot be read: %v", p)
		}
	}()
	file, err := os.CreateTemp(dir, "pack-")
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, file.Close()); err != nil {
			_ = os.Remove(file.Name()) // it was renamed, or is of no use
		}
	}()
	size, err := io.Copy(file, pack)
	if err != nil {
		return err
	}
	if err := checkHeader(file, size); err != nil {
		return err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	writer := new(idxfile.Writer)
	parser, err := packfile.NewParser(packfile.NewScanner(file), writer)
	if err != nil {
		return err
	}
	sum, err := parser.Parse()
	if err != nil {
		return fmt.Errorf("what the server sent is damaged: %w", err)
	}
	index, err := writer.Index()
	if err != nil {
		return err
	}
	name := filepath.Join(dir, "objects", "pack", "pack-"+sum.String())
	// A pack counts once its index is there.
	if err := os.Rename(file.Name(), name+".pack"); err != nil {
		return err
	}
	return saveIndex(name+".idx", index, sum)
}

// checkHeader refuses a pack that says it holds more objects than it can: the library makes room for as many as it says.
func checkHeader(file io.ReaderAt, size int64) error {
	var header [12]byte // PACK, the version, how many objects
	if _, err := file.ReadAt(header[:], 0); err != nil {
		return fmt.Errorf("what the server sent is damaged: %w", err)
	}
	if n := int64(binary.BigEndian.Uint32(header[8:])); n > size/minObject || n > maxObjects {
		return fmt.Errorf("what the server sent is damaged or too large: %d objects in %d bytes", n, size)
	}
	return nil
}

func saveIndex(name string, index *idxfile.MemoryIndex, sum plumbing.Hash) (err error) {
	if index.PackfileChecksum != sum {
		return errors.New("what the server sent is damaged: its checksum is not that of its index")
	}
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	_, err = idxfile.NewEncoder(file).Encode(index)
	if err = errors.Join(err, file.Close()); err != nil {
		_ = os.Remove(name)
	}
	return err
}
