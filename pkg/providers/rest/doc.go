// Package rest is the only place that opens connections to vendors. It carries the rules that hold for all of them: https only (plain
// http for loopback), no redirect to another host, pacing, safe retries, bounded answers, typed errors, and no secret in
// any text that leaves it.
package rest
