package schema

import (
	"encoding/json"

	"agentsync.dev/agentsync/pkg/spec"
)

// envelope describes a document of the given kind, with its spec and which parts of it there must be.
func envelope(kind, description string, body *object, required ...string) *object {
	metadata := closedObject("name and labels", newObject("name", name("name of the document"), "labels", scalars("labels, for selecting"),
		"annotations", newObject("type", "object")), "name")
	document := closedObject(description, newObject("apiVersion", constant(spec.APIVersion), "kind", constant(kind), "metadata", metadata,
		"spec", body), append([]string{"apiVersion", "kind", "metadata"}, required...)...)
	out := newObject("title", "agentsync "+kind)
	for _, key := range document.keys {
		out.set(key, document.values[key])
	}
	return out
}

func agentSpec() *object {
	pointer := newObject("type", "string", "pattern", "^/([^~]|~[01])*$")
	pointers := func(description string) *object {
		return newObject("type", "array", "description", description, "items", pointer)
	}
	suspend := closedObject("apply leaves this agent alone", newObject(
		"reason", text("why, for people"),
		"until", newObject("type", "string", "format", "date-time", "description", "RFC 3339; without it until suspend is taken out")))
	return closedObject("what the agent is to be", newObject(
		"provider", name("name of a Provider document, or a built-in type"),
		"id", newObject("type", list([]string{"string", "integer"}), "description", "bind to this live agent"),
		"config", newObject("type", "object", "description", "the vendor's own field names"),
		"ignore", pointers("JSON Pointers into config that are never compared and never sent"),
		"drift", drift(),
		"update", choice("the verb, where a vendor offers both", "auto", "put", "patch"),
		"acceptReset", pointers("JSON Pointers into config that a PUT may reset because they cannot be read back"),
		"protect", boolean("never delete; remembered after the manifest is gone"),
		"suspend", suspend,
		"allowUnknownFields", boolean("let fields through that the schema does not know"),
	), "provider", "config")
}

func providerDocument(types []string) *object {
	value := func(description string) *object {
		scalar := newObject("type", list([]string{"string", "number", "boolean"}))
		return newObject("description", description, "anyOf", []any{scalar, newObject("$ref", directiveRef)})
	}
	auth := closedObject("how to sign in", newObject("apiKey", value("API key"), "email", value("e-mail address of the login"),
		"password", value("password of the login"), "accessToken", value("ready token instead of a login")))
	limits := closedObject("the pace of the account; 0 is the vendor's default", newObject(
		"requestsPerMinute", whole("requests in a minute"), "maxInFlight", whole("requests at the same time")))
	body := closedObject("an account at a vendor", newObject(
		"type", choice("the vendor", types...),
		"baseURL", value("address of the API; plain http only on loopback"),
		"api", text("generation of the API, where the vendor has several"),
		"orgID", value("organisation, where the vendor wants one"),
		"auth", auth,
		"oauthURL", value("address of the login, where the vendor has one"),
		"listPath", value("path of the list of agents, where the vendor documents none"),
		"limits", limits,
		"timeout", newObject("type", "string", "description", "bound of one request, such as 30s",
			"pattern", `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`),
	), "type")
	return envelope("Provider", "an account at a vendor", body, "spec")
}

func configDocument() *object {
	percent := whole("share of the agents changed in one run")
	percent.set("maximum", json.Number("100"))
	limits := closedObject("what a run may do at most", newObject(
		"maxDeletes", whole("agents deleted in one run"),
		"maxChangedPercent", percent,
		"minAgents", whole("agents from which on the share counts")))
	body := closedObject("defaults for everyone who works on this repository", newObject(
		"state", text("where the state is: a folder or s3://bucket/prefix"), "drift", drift(), "limits", limits, "freeze", freezes()))
	return envelope("Config", "defaults of a repository, at most one", body)
}

// freezes describes the windows in which a watcher writes nothing.
func freezes() *object {
	window := closedObject("a window that comes once (from and to as times) or again (from and to as times of day)", newObject(
		"reason", text("why nothing is written"),
		"from", text("2026-12-24T00:00:00Z, or a time of day such as 22:00"),
		"to", text("when it ends; a time of day no later than from is on the next day"),
		"days", newObject("type", "array", "description", "the days on which it opens; every day where it is left out", "minItems", json.Number("1"),
			"items", choice("a day", "mon", "tue", "wed", "thu", "fri", "sat", "sun")),
		"timeZone", text("of the times of day, such as Europe/Berlin; UTC where it is left out"),
	), "reason", "from", "to")
	return newObject("type", "array", "description", "times in which `agentsync watch` writes nothing", "items", window)
}

func closedObject(description string, properties *object, required ...string) *object {
	out := newObject("type", "object", "description", description, "properties", properties, "additionalProperties", false)
	if len(required) > 0 {
		out.set("required", list(required))
	}
	return out
}

// name describes a document's name: no dot at its beginning, no two in a row.
func name(description string) *object {
	return newObject("type", "string", "description", description, "pattern", `^[a-z0-9-]+(\.[a-z0-9-]+)*\.?$`, "maxLength", json.Number("63"))
}

// scalars describes a map of texts, which may also look like numbers or booleans.
func scalars(description string) *object {
	return newObject("type", "object", "description", description, "additionalProperties",
		newObject("type", list([]string{"string", "number", "boolean"})))
}

func text(description string) *object {
	return newObject("type", "string", "description", description, "minLength", json.Number("1"))
}

func boolean(description string) *object {
	return newObject("type", "boolean", "description", description)
}

func whole(description string) *object {
	return newObject("type", "integer", "description", description, "minimum", json.Number("0"))
}

func choice(description string, values ...string) *object {
	return newObject("description", description, "enum", list(values))
}

func drift() *object {
	return choice("what to do with live values that agentsync did not write", "refuse", "overwrite", "ignore")
}
