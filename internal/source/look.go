package source

import "time"

// Revision is one state of the manifests' files, on disk.
type Revision struct {
	// Dir is the folder that holds the files: the folder itself, or what was extracted of a commit.
	Dir string
	// Commit is the full hash, Subject the first line of its message, "" outside Git.
	Commit, Subject string
	// Release lets the files go; call it once, when nobody reads them any more. A folder's does nothing. Never nil.
	Release func()
}

// Look is what one look at a source found.
type Look struct {
	At time.Time
	// Seen is the commit at the ref, also where it was refused; "" outside Git or if the remote could not be asked.
	Seen string
	// Revision is there to be loaded, nil if nothing is new since the last Look that had one.
	Revision *Revision
	// Err is why what was seen is not to be followed, or why nothing could be seen; the last revision stays in force. It says the cure.
	Err error
}
