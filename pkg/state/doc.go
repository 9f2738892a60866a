// Package state keeps what agentsync must remember between runs: which live agent an address is bound to, the last applied config,
// creates in flight, snapshots, the lock, and the lease. It holds no secret: sensitive values are sealed, see [Seal].
//
// A [Store] holds small objects under keys and knows nothing of what they mean; a [Book] keeps the records in it:
//
//	state/<provider>/<name>.json             one Record for each agent
//	snapshots/<run>/<provider>/<name>.json   the agent as it was before that run wrote to it
//	lock.json                                which run may write now
//	notes/<name>                             what a watcher has to remember beside that
//	lease.json                               which of several watchers is the one that writes
//
// Package statetest holds the promises of Store as a test suite.
package state
