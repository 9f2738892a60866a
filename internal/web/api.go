package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"agentsync.dev/agentsync/internal/status"
)

// orderSize bounds the body of an order in bytes.
const orderSize = 256 << 10

func (s *site) apiStatus(w http.ResponseWriter, _ *http.Request) {
	latest, _ := s.Board.Latest()
	s.answer(w, http.StatusOK, latest)
}

// agentAnswer is an agent with the last runs that it was in; of their results only its own.
type agentAnswer struct {
	*status.Agent
	Runs []status.Run `json:"runs"`
}

func (s *site) apiAgent(w http.ResponseWriter, r *http.Request) {
	latest, _ := s.Board.Latest()
	agent := find(latest, addressOf(r))
	if agent == nil {
		s.fail(w, r, unknownAgents([]string{addressOf(r)}))
		return
	}
	s.answer(w, http.StatusOK, agentAnswer{Agent: agent, Runs: runsOf(latest, agent.Address)})
}

func addressOf(r *http.Request) string { return r.PathValue("provider") + "/" + r.PathValue("name") }

// find returns the agent of an address, nil if there is none.
func find(st *status.Status, address string) *status.Agent {
	for _, a := range st.Agents {
		if a.Address == address {
			return a
		}
	}
	return nil
}

// runsOf are the runs in which an agent was written or went wrong, with its results only.
func runsOf(st *status.Status, address string) []status.Run {
	runs := []status.Run{}
	for _, run := range st.Runs {
		own := *run
		own.Results = slices.DeleteFunc(slices.Clone(run.Results), func(r status.Result) bool { return r.Address != address })
		if len(own.Results) > 0 {
			runs = append(runs, own)
		}
	}
	return runs
}

func unknownAgents(addresses []string) problem {
	return problem{http.StatusNotFound, "no agent " + strings.Join(addresses, ", "), "an address is provider/name; /api/v1/status lists all"}
}

// order is the body of a request to reconcile.
type order struct {
	Targets []string `json:"targets"`
}

func (s *site) apiReconcile(w http.ResponseWriter, r *http.Request) {
	o, fault := readOrder(w, r)
	if fault == nil {
		fault = s.ask(r, o.Targets)
	}
	if fault != nil {
		s.fail(w, r, *fault)
		return
	}
	s.answer(w, http.StatusAccepted, struct {
		Accepted bool     `json:"accepted"`
		Targets  []string `json:"targets,omitempty"` // none means all
	}{true, o.Targets})
}

// readOrder reads an order; no body means a full look. A body must say that it is JSON, which a form of another site cannot.
func readOrder(w http.ResponseWriter, r *http.Request) (o order, fault *problem) {
	const shape = `send {"targets": ["PROVIDER/NAME"]}, or no body for all agents`
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, orderSize))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return o, &problem{http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d bytes", large.Limit),
			"leave the body out: then all agents are looked at"}
	case err != nil:
		return o, &problem{http.StatusBadRequest, "the body cannot be read", "send it again"}
	case len(data) == 0:
		return o, nil
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return o, &problem{http.StatusUnsupportedMediaType, "the body is not marked as JSON", `send the header "Content-Type: application/json"`}
	}
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&o); err != nil {
		return o, &problem{http.StatusBadRequest, "the body is no order: " + err.Error(), shape}
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return o, &problem{http.StatusBadRequest, "the body holds more than one order", shape}
	}
	slices.Sort(o.Targets)
	o.Targets = slices.Compact(o.Targets)
	return o, nil
}

// ask asks for a look at the targets; with none, for one at everything, the source included.
func (s *site) ask(r *http.Request, targets []string) *problem {
	latest, _ := s.Board.Latest()
	if latest.Lease.Role == status.Standby {
		return &problem{http.StatusConflict, "this watcher is a standby: " + leads(latest.Lease), "ask the watcher that leads"}
	}
	var unknown []string
	for _, t := range targets {
		if find(latest, t) == nil {
			unknown = append(unknown, t)
		}
	}
	if len(unknown) > 0 {
		fault := unknownAgents(unknown)
		return &fault
	}
	if len(targets) == 0 {
		s.Fetch()
	}
	if !s.Reconcile(targets) {
		return &problem{http.StatusServiceUnavailable, "the watcher is shutting down", "ask again once it is back"}
	}
	s.Log.Info("a look was asked for", "targets", targets, "user", viewerOf(r).name, "from", clientOf(r))
	return nil
}

// leads says who holds a lease.
func leads(l status.Lease) string {
	if l.Holder == "" {
		return "nobody leads right now"
	}
	return l.Holder + " leads"
}
