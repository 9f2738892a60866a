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
//
// What an author of a schema should know beyond that:
//
//   - The root is an object with properties, closed unless it has additionalProperties, and has no "required". An object with
//     neither properties nor additionalProperties is free-form. A field without a type may hold anything.
//   - sensitive, readOnly, writeOnly, readMaybe, immutable and createOnly hold for everything inside the object or list that has them.
//   - text and file belong on strings: in a list of files, on its items.
//   - clear: null says that null itself is what the vendor takes; "null" in a list of types does not.
//   - What a list item or a "whole" object requires is checked when a manifest is decoded; what another object requires may be
//     live already, so only a plan can tell.
//   - An "if" should name its fields under "required" too, else it holds where they are absent.
//   - $ref reaches into the same file only, and may have keywords beside it, which win; x-agentsync is merged by keyword.
package schema
