// Package diff compares agent configurations. It knows documents (JSON values in one normal form), paths into them, and the
// three-way comparison of base, live and desired. It is pure: no clock, no files, no network, and it imports no other
// package of agentsync.
package diff
