package schema

import (
	"slices"
	"strings"
)

// condition says in words when the schema at a place of the file applies: "when webhook is true" for one below the then of an
// if that asks just that. It is "" where the schema always applies or the if is not simple. fields are the names the condition is
// about.
func condition(doc *object, tokens []string) (words string, fields []string) {
	for i := len(tokens) - 1; i >= 0; i-- {
		if tokens[i] != "then" && tokens[i] != "else" {
			continue
		}
		around, ok := find(doc, tokens[:i])
		if !ok || around.object("if") == nil {
			continue
		}
		words, fields = simple(around.object("if"))
		switch {
		case words == "":
			return "", nil
		case tokens[i] == "then":
			return "when " + words, fields
		}
		return "unless " + words, fields
	}
	return "", nil
}

// simple puts an if into words that asks for certain values of fields, or for their presence, and nothing else.
func simple(test *object) (words string, fields []string) {
	if test == nil {
		return "", nil
	}
	var parts []string
	for _, keyword := range test.keys {
		if keyword != "properties" && keyword != "required" {
			return "", nil
		}
	}
	properties := test.object("properties")
	if properties != nil {
		for _, name := range properties.keys {
			part := wanted(properties.object(name))
			if part == "" {
				return "", nil
			}
			parts, fields = append(parts, name+" is "+part), append(fields, name)
		}
	}
	for _, name := range texts(test.list("required")) {
		if !slices.Contains(fields, name) {
			parts, fields = append(parts, name+" is set"), append(fields, name)
		}
	}
	return strings.Join(parts, " and "), fields
}

// wanted puts into words what values a schema takes, if it is a const or an enum.
func wanted(schema *object) string {
	switch {
	case schema == nil || len(schema.keys) != 1:
		return ""
	case schema.has("const"):
		return word(schema.get("const"))
	case schema.has("enum"):
		var words []string
		for _, value := range schema.list("enum") {
			words = append(words, word(value))
		}
		return strings.Join(words, " or ")
	}
	return ""
}
