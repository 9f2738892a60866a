// Package providers is the contract between agentsync and a vendor's API. Everything above it (plan, apply) knows vendors only
// through [Vendor] and [Provider]; everything below (one folder per vendor) knows nothing of plans and of other vendors.
//
// A vendor's folder always holds the same files:
//
//	<name>.go      Vendor: what the vendor can do, its settings and its schemas
//	read.go        answers: list, get, errors -> Live
//	write.go       pure: create, update, delete -> requests as data
//	client.go      the account: one call at a time through rest
//	schema*.json   one JSON Schema for each API generation, the source of validation, comparing, completion and explain
//
// A fifth vendor is one more folder, one line in package all, and its simulator in internal/sandbox; providertest says whether
// it keeps the promises made here.
package providers
