package spec

import (
	"bytes"
	"strings"

	"gopkg.in/yaml.v3"
)

// condensed is a YAML file whose long texts were read here, line by line, so that the YAML reader, which takes some hundred instructions for
// each character, has less to read. Each line of it is the same line of the file: an empty text stands where the long one stood.
type condensed struct {
	data []byte
	// texts are the texts that were read, by the line on which they begin.
	texts map[int]string
}

// shortText is the length of texts that are not worth taking out.
const shortText = 128

// condense takes the texts of more than short bytes out of a file. It is false for a file without any, and for one with a line that is not of the plainest kind: a
// key with a value, an item, a comment. What such a line does to those below it only the YAML reader knows. Fuzzing holds it to giving what
// the YAML reader gives for the whole file.
func condense(data []byte, short int) (condensed, bool) {
	c := condensed{texts: map[int]string{}}
	if len(data) <= short || data[len(data)-1] != '\n' || !printable(data) {
		return c, false
	}
	c.data = make([]byte, 0, 512)
	for number, rest := 1, data; len(rest) > 0; number++ {
		line, after := cutLine(rest)
		column, value, ok := simpleLine(line)
		if !ok {
			return c, false
		}
		head := line[:len(line)-len(value)]
		switch {
		case string(value) == "|" || string(value) == "|-":
			block, ok := literalBelow(after, column)
			if !ok {
				return c, false
			}
			c.data = append(append(c.data, line...), '\n')
			if block.size < short {
				c.data = append(c.data, after[:block.size]...)
			} else {
				c.texts[number] = block.text(after, string(value) == "|-")
				c.data = append(append(c.data, bytes.Repeat([]byte(" "), block.indent)...), 'x')
				c.data = append(c.data, bytes.Repeat([]byte("\n"), block.lines)...)
			}
			rest, number = after[block.size:], number+block.lines
			continue
		case len(value) > short && value[0] == '"':
			text, ok := doubleQuoted(value)
			if !ok {
				return c, false
			}
			c.texts[number] = text
			c.data = append(append(c.data, head...), '"', '"', '\n')
			rest = after
			continue
		}
		c.data = append(append(c.data, line...), '\n')
		rest = after
	}
	return c, len(c.texts) > 0
}

// restore puts the long texts back where they stood.
func (c condensed) restore(n *yaml.Node) {
	if text, long := c.texts[n.Line]; long && n.Style&(yaml.LiteralStyle|yaml.DoubleQuotedStyle) != 0 {
		n.Value = text
	}
	for _, child := range n.Content {
		c.restore(child)
	}
}

// cutLine returns the first line of data, which ends in a line's end, and what follows.
func cutLine(data []byte) (line, after []byte) {
	end := bytes.IndexByte(data, '\n')
	return data[:end], data[end+1:]
}

// printable reports whether data holds nothing that YAML refuses, or takes for the end of a line, but LF. It errs on the safe side.
func printable(data []byte) bool {
	for i, c := range data {
		switch {
		case c >= ' ' && c < 0x7F, c == '\n', c == '\t':
		case c < 0x80:
			return false
		case c == 0xC2: // U+0080 to U+00BF, with the controls and NEL
			if data[i+1] < 0xA0 {
				return false
			}
		case c == 0xE2 && data[i+1] == 0x80, c == 0xEF: // U+2028 and U+2029, and the end of the plane
			return false
		}
	}
	return true
}

// simpleLine takes a line apart: the column of its key, and the value, which is all that stands on the line after it. It is false for a line
// that may mean something for another.
func simpleLine(line []byte) (column int, value []byte, ok bool) {
	rest := bytes.TrimLeft(line, " ")
	if len(rest) == 0 || rest[0] == '#' {
		return 0, nil, bytes.IndexByte(line, '\t') < 0
	}
	if string(line) == "---" {
		return 0, nil, true
	}
	for bytes.HasPrefix(rest, []byte("- ")) {
		rest = bytes.TrimLeft(rest[2:], " ")
	}
	column = len(line) - len(rest)
	key := 0
	for key < len(rest) && keyByte(rest[key]) {
		key++
	}
	if key == 0 || key == len(rest) || rest[key] != ':' || rest[0] == '-' {
		return column, nil, column > 0 && !bytes.HasPrefix(rest, []byte("|")) && simpleValue(rest) // an item that is no map
	}
	after := rest[key+1:]
	value = bytes.TrimLeft(after, " ")
	return column, value, len(value) == 0 || len(value) < len(after) && simpleValue(value)
}

func keyByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || bytes.IndexByte([]byte("_-./$"), c) >= 0
}

// simpleValue reports whether a value begins and ends on its line.
func simpleValue(value []byte) bool {
	if len(value) == 0 {
		return false
	}
	switch first := value[0]; {
	case string(value) == "|" || string(value) == "|-":
		return true
	case first == '"':
		end := closing(value)
		return end == len(value)-1
	case first == '\'':
		return len(value) > 1 && bytes.IndexByte(value[1:], '\'') == len(value)-2
	case first == '{' || first == '[':
		return simpleFlow(value)
	}
	return keyByte(value[0]) && value[0] != '-' && !bytes.ContainsAny(value, "\t#:") || plainURL(value)
}

// plainURL reports whether value is a plain text with colons that cannot be those of a key, such as an address.
func plainURL(value []byte) bool {
	return keyByte(value[0]) && value[0] != '-' && !bytes.ContainsAny(value, "\t# ") && value[len(value)-1] != ':'
}

// simpleFlow reports whether value is a whole flow collection of plain words.
func simpleFlow(value []byte) bool {
	depth := 0
	for i, c := range value {
		switch {
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				return i == len(value)-1
			}
		case keyByte(c) || c == ' ' || c == ',' || c == ':':
		default:
			return false
		}
	}
	return false
}

// closing returns the place of the quote that ends the double-quoted text at the beginning of value, -1 if there is none.
func closing(value []byte) int {
	for i := 1; i < len(value); {
		next := bytes.IndexAny(value[i:], `"\`)
		if next < 0 {
			return -1
		}
		if i += next; value[i] == '"' {
			return i
		}
		i += 2
	}
	return -1
}

// doubleQuoted reads a double-quoted text with the commonest escapes, and is false for others.
func doubleQuoted(value []byte) (string, bool) {
	var text strings.Builder
	text.Grow(len(value))
	for inner := value[1 : len(value)-1]; len(inner) > 0; {
		next := bytes.IndexByte(inner, '\\')
		if next < 0 {
			text.Write(inner)
			break
		}
		text.Write(inner[:next])
		switch inner[next+1] { // there is one, for the quote that ends the text is not escaped
		case 'n':
			text.WriteByte('\n')
		case 't':
			text.WriteByte('\t')
		case '"', '\\':
			text.WriteByte(inner[next+1])
		default:
			return "", false
		}
		inner = inner[next+2:]
	}
	return text.String(), true
}

// literal is a literal text: its first bytes of the file's rest, in lines, each indented by at least so much.
type literal struct{ size, lines, indent int }

// literalBelow measures the literal text below a key at the given column. It is false where that takes the YAML reader's care.
func literalBelow(data []byte, column int) (found literal, ok bool) {
	for rest := data; len(rest) > 0; {
		line, after := cutLine(rest)
		spaces := len(line) - len(bytes.TrimLeft(line, " "))
		blank := spaces == len(line)
		switch {
		case found.lines == 0 && (blank || spaces <= column), blank && spaces > found.indent && found.lines > 0:
			return found, false
		case found.lines == 0:
			found.indent = spaces
		case !blank && spaces < found.indent:
			return found, true
		}
		if !blank && line[spaces] == '\t' {
			return found, false
		}
		found.lines, found.size, rest = found.lines+1, found.size+len(line)+1, after
	}
	return found, found.lines > 0
}

// text returns the text at the beginning of data, with one line's end after its last line, or none.
func (l literal) text(data []byte, strip bool) string {
	var text strings.Builder
	text.Grow(l.size)
	last := 0 // the length up to the last line that is not empty
	for rest := data[:l.size]; len(rest) > 0; {
		var line []byte
		if line, rest = cutLine(rest); len(line) > l.indent {
			text.Write(line[l.indent:])
			last = text.Len() + 1
		}
		text.WriteByte('\n')
	}
	if strip {
		last--
	}
	return text.String()[:last]
}
