// Package schema reads the vendors' JSON Schemas (2020-12) and applies them: it decodes a manifest's config, reports every
// fault at its place, and gives the comparing code its [diff.Type].
//
// Standard keywords carry what they can: type, enum, minimum, maximum, minLength, if/then, default, description, readOnly,
// writeOnly, examples. The rest is under "x-agentsync", on any property:
//
//	sensitive, text, immutable, createOnly, file   booleans
//	list            "atomic" (the default), "set" or "keyed", with key: the field of the items
//	nested          "replace" (sent whole, compared field by field), "merge" (sent in part), "whole" (declared and compared as one)
//	readMaybe       the vendor may leave the field out of its answers although it is set
//	clear           the value that clears the field; absent: null is an error
//	group, toggle   fields that travel together; the boolean without which the field means nothing
//	required        on an object: what must be there whenever it is sent
//	requiredOnCreate  at the root: what a create needs
//	warn            {minimum, maximum, enum, pattern}: limits the vendor does not document; outside them is a warning
//	unit            "ms", "s", "min", "bytes": for people
//	source          the vendor page the field comes from
package schema
