// Package importer turns live agents into manifests: which name each gets, what its manifest declares, which texts become files of their
// own, and what is left to a person. It decides and writes nothing: a [Draft] is the bytes of the files and the base for the state.
//
// A draft is decoded again before it is handed out, as a plan would decode it, and held against the live agent. What does not
// come back as it is live is left out, with a comment, so that a plan right after an import is empty.
package importer
