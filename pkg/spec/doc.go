// Package spec reads manifests: it loads YAML and JSON documents, resolves {$file}, {$env} and {$join}, builds kustomizations,
// checks everything outside spec.config, and keeps the place of every value, so that a fault can be reported as
// file:line:column. It knows no vendor: what a config may hold is checked by the vendor's schema, which decodes a [Value].
package spec
