package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// fileVersion is the form of the stored files.
const fileVersion = 1

// design is what a store needs to know of its vendor's agents.
type design struct {
	name                       string
	idField                    string
	createdField, updatedField string // "" where the vendor has none
	timeForm                   string
	numericIDs                 bool
	// defaults are the vendor's, for a new agent.
	defaults func() map[string]any
}

func (s *Server) designs() []design {
	return []design{
		{Convirza, "id", "created_on", "updated_on", "2006-01-02T15:04:05.000Z07:00", true, convirzaDefaults},
		{Nova, "id", "created_at", "updated_at", "2006-01-02T15:04:05.000000Z07:00", false, s.novaDefaults},
		{Centerfy, "id", "created_at", "updated_at", time.RFC3339, false, centerfyDefaults},
		{Voicy, "agent_id", "", "", "", false, voicyDefaults},
		{VoicyFunctions, "agent_id", "created_at", "updated_at", "2006-01-02T15:04:05.000Z07:00", false, voicyFunctionsDefaults},
	}
}

// store holds the agents of one API. Its caller holds the server's lock.
type store struct {
	design
	file   string // "" in memory
	loaded bool   // the file was there
	agents map[string]map[string]any
	next   int // counts ids
	writes int // counts writes, for the clock
	stale  map[string]*staleAgent
}

// staleAgent is what reads still show of an agent, and for how many reads.
type staleAgent struct {
	agent map[string]any
	left  int
}

// stored is the file's form.
type stored struct {
	Version int              `json:"version"`
	Next    int              `json:"next"`
	Writes  int              `json:"writes"`
	Agents  []map[string]any `json:"agents"`
}

func newStore(d design, dir string) *store {
	st := &store{design: d, agents: map[string]map[string]any{}, stale: map[string]*staleAgent{}}
	if dir != "" {
		st.file = filepath.Join(dir, strings.ReplaceAll(d.name, "/", "-")+".json")
	}
	return st
}

func (st *store) load() error {
	if st.file == "" {
		return nil
	}
	data, err := os.ReadFile(st.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	var in stored
	if err := json.Unmarshal(data, &in); err != nil {
		return fmt.Errorf("sandbox: %s: %w (delete the file to start again)", st.file, err)
	}
	if in.Version != fileVersion {
		return fmt.Errorf("sandbox: %s: version %d, want %d (delete the file to start again)", st.file, in.Version, fileVersion)
	}
	st.loaded, st.next, st.writes = true, in.Next, in.Writes
	for _, agent := range in.Agents {
		st.agents[st.idOf(agent)] = agent
	}
	return nil
}

// save writes the file whole or not at all.
func (st *store) save() error {
	if st.file == "" {
		return nil
	}
	var data bytes.Buffer
	enc := json.NewEncoder(&data)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(stored{fileVersion, st.next, st.writes, st.sorted()}); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	dir := filepath.Dir(st.file)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	temp, err := os.CreateTemp(dir, filepath.Base(st.file)+".*.tmp")
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	_, err = temp.Write(data.Bytes())
	err = errors.Join(err, temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), st.file)
	}
	if err != nil {
		_ = os.Remove(temp.Name())
		return fmt.Errorf("sandbox: %w", err)
	}
	return nil
}

func (st *store) get(id string) (map[string]any, bool) {
	agent, ok := st.agents[id]
	return agent, ok
}

// see returns an agent as a read shows it, which may be what it was before the last write.
func (st *store) see(id string) (map[string]any, bool) {
	if old := st.stale[id]; old != nil && old.left > 0 {
		old.left--
		return old.agent, true
	}
	return st.get(id)
}

// fade lets the next reads of an agent show what is there now, whatever is written.
func (st *store) fade(id string, reads int) {
	if agent, ok := st.agents[id]; ok && reads > 0 {
		st.stale[id] = &staleAgent{agent, reads}
	}
}

// put stores an agent, or changes nothing. agent is the store's from now on.
func (st *store) put(id string, agent map[string]any) error {
	old, had := st.agents[id]
	st.agents[id] = agent
	if err := st.save(); err != nil {
		if delete(st.agents, id); had {
			st.agents[id] = old
		}
		return err
	}
	return nil
}

// remove forgets an agent.
func (st *store) remove(id string) error {
	old := st.agents[id]
	delete(st.agents, id)
	delete(st.stale, id)
	if err := st.save(); err != nil {
		st.agents[id] = old
		return err
	}
	return nil
}

// sorted returns the agents in the order of their ids.
func (st *store) sorted() []map[string]any {
	ids := slices.SortedFunc(maps.Keys(st.agents), func(a, b string) int {
		if st.numericIDs && len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	all := make([]map[string]any, len(ids))
	for i, id := range ids {
		all[i] = st.agents[id]
	}
	return all
}

// newID returns an id that no agent has: a number from 101, or a UUID that counts.
func (st *store) newID() any {
	for {
		st.next++
		if st.numericIDs {
			if id := 100 + st.next; st.agents[strconv.Itoa(id)] == nil {
				return float64(id)
			}
			continue
		}
		if id := countedUUID(st.next); st.agents[id] == nil {
			return id
		}
	}
}

func countedUUID(n int) string { return fmt.Sprintf("5a4d0b0c-0000-4000-8000-%012d", n) }

func (st *store) idOf(agent map[string]any) string {
	if id, ok := agent[st.idField].(float64); ok {
		return strconv.FormatFloat(id, 'f', -1, 64)
	}
	id, _ := agent[st.idField].(string)
	return id
}

func (st *store) stamp(t time.Time) string { return t.UTC().Format(st.timeForm) }

// copyObject returns a deep copy of a JSON object.
func copyObject(o map[string]any) map[string]any { return copyValue(o).(map[string]any) }

func copyValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		o := make(map[string]any, len(v))
		for name, value := range v {
			o[name] = copyValue(value)
		}
		return o
	case []any:
		l := make([]any, len(v))
		for i, value := range v {
			l[i] = copyValue(value)
		}
		return l
	}
	return v
}

// normal returns an object made of JSON kinds only, as a caller's Go values (ints, string lists) are not.
func normal(o map[string]any) (map[string]any, error) {
	data, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	var out map[string]any
	return out, json.Unmarshal(data, &out)
}

// shown returns a copy of an agent without the simulator's marks and the hidden fields.
func shown(agent map[string]any, hidden ...string) map[string]any {
	out := copyObject(agent)
	maps.DeleteFunc(out, func(name string, _ any) bool {
		return strings.HasPrefix(name, "_") || slices.Contains(hidden, name)
	})
	return out
}
