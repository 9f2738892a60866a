// Package providertest is the conformance suite that every vendor passes: it checks the promises of package providers against a
// simulated vendor, by what was sent and by what the vendor holds afterwards, not only by what came back.
//
// To add a vendor, add a [Subject] for each of its API generations to the table in suite_test.go:
//
//  1. Start opens a fresh simulator without agents and hands out its settings, and the two functions that look into it and change it
//     behind the provider's back.
//  2. Desired is a config that fills as many fields as a create takes, in normal form.
//  3. Edits name every field that an update can change, one at a time, with a new value. Sends says what else the vendor makes
//     the update carry; leave it out where the field travels alone.
//
// [Run] does the rest. A promise that a vendor's API cannot keep is not skipped: it is said in the vendor's
// [providers.Abilities], and the suite checks that the provider refuses.
package providertest
