package plan

import (
	"errors"
	"fmt"
	"testing"

	"agentsync.dev/agentsync/pkg/providers/rest"
)

func TestSilence(t *testing.T) {
	away, refused := fmt.Errorf("503: %w", rest.ErrUnavailable), fmt.Errorf("401: %w", rest.ErrAuth)
	tests := []struct {
		name  string
		heard []error
		stops bool
	}{
		{"nothing yet", nil, false},
		{"two failures may be chance", []error{away, away}, false},
		{"three are enough", []error{away, refused, away}, true},
		{"it answered before", []error{nil, away, away, away, away}, false},
		{"it answered in between", []error{away, away, nil, away, away}, false},
		{"a refusal of one agent is an answer", []error{away, away, rest.ErrNotFound, away, away}, false},
	}
	for _, test := range tests {
		var s silence
		for _, err := range test.heard {
			s.heard(err)
		}
		err := s.err()
		if (err != nil) != test.stops {
			t.Errorf("%s: %v", test.name, err)
		}
		if err != nil && !errors.Is(err, rest.ErrUnavailable) {
			t.Errorf("%s: the cause is lost: %v", test.name, err)
		}
	}
}
