package jsontree

import "io"

// window is how many bytes of a list are there at once, unless an item is longer.
const window = 128 << 10

// Rows reads a list of objects from r to its end and decodes them while more arrive, so that its text is never there as a whole. Where left is nil, that
// was all. Else left is what is not decoded, a list or whatever it is, for encoding/json to say why; it begins after the first cut bytes of the
// input. An error is one of r.
func (t Texts) Rows(r io.Reader) (rows []map[string]any, left []byte, cut int, err error) {
	return t.rows(r, window)
}

func (t Texts) rows(r io.Reader, window int) (rows []map[string]any, left []byte, cut int, err error) {
	s := stream{decoder: decoder{data: make([]byte, 0, window), keys: map[string]string{}, texts: t}, from: r}
	s.fill(0)
	if s.list() {
		return s.rows, nil, 0, s.err
	}
	for !s.ended {
		s.fill(s.last)
	}
	if s.cut == 0 {
		return nil, s.data, 0, s.err
	}
	s.data[s.last] = '[' // for the comma before the last row, which is read again: what follows it may be wrong
	return s.rows[:len(s.rows)-1], s.data[s.last:], s.cut + s.last, s.err
}

// stream is a decoder of a list that arrives.
type stream struct {
	decoder
	from io.Reader
	rows []map[string]any
	// last is the place before the last row, from which on data is kept; cut counts the bytes before data.
	last, cut int
	ended     bool
	err       error
}

// fill reads on, keeping what is there from a place on.
func (s *stream) fill(keep int) {
	kept := s.data[keep:]
	room := s.data[:0]
	if len(kept) > cap(s.data)/2 {
		room = make([]byte, 0, 2*cap(s.data))
	}
	room = append(room, kept...)
	for len(room) < cap(room) && !s.ended {
		n, err := s.from.Read(room[len(room):cap(room)])
		room = room[:len(room)+n]
		if s.ended = err != nil; s.ended && err != io.EOF {
			s.err = err
		}
	}
	s.data, s.at, s.last, s.cut = room, s.at-keep, s.last-keep, s.cut+keep
}

// list reads the list, and reports whether all of it is decoded.
func (s *stream) list() bool {
	if !s.next('[') {
		return false
	}
	s.rows = []map[string]any{}
	if s.next(']') {
		return s.end()
	}
	for {
		start := s.at
		s.space()
		value, ok := s.value(1)
		row, isObject := value.(map[string]any)
		more := isObject && ok && s.next(',')
		switch {
		case more || isObject && ok && s.next(']'):
			s.rows, s.last = append(s.rows, row), start-1
			if !more {
				return s.end()
			}
		case ok && !isObject && value != nil, s.ended:
			return false
		default: // it may go on
			s.at = start
			s.fill(s.last)
		}
	}
}

// end reports whether nothing but white space follows.
func (s *stream) end() bool {
	for {
		if s.space(); s.at < len(s.data) {
			return false
		}
		if s.ended {
			return true
		}
		s.fill(s.last)
	}
}
