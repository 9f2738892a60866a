package web

import (
	"bytes"
	"html/template"
	"net/http"
	"strings"
	"time"

	"agentsync.dev/agentsync/internal/render"
	"agentsync.dev/agentsync/internal/status"
)

// frame is what every page has around its content.
type frame struct {
	Title               string
	Style, Script, Icon string
	Version             string
	Role                string
	// Now is when the page was rendered, Revision which status it shows.
	Now      moment
	Revision string
	User     string
	SignOut  bool
	// Live says that the page shows the status, so that the script keeps it fresh.
	Live bool
}

func (s *site) frame(r *http.Request, title string) frame {
	v := viewerOf(r)
	return frame{Title: title, Style: s.assetURL("style.css"), Script: s.assetURL("script.js"), Icon: s.assetURL("favicon.svg"),
		Now: momentOf(s.Now(), s.Now()), User: v.name, SignOut: v.session}
}

// liveFrame is the frame of a page that shows st.
func (s *site) liveFrame(r *http.Request, title string, st *status.Status) frame {
	f := s.frame(r, title)
	f.Live, f.Revision, f.Version, f.Role = true, revision(st), st.Version, string(st.Lease.Role)
	if st.Observe {
		f.Role = strings.TrimSpace(f.Role + ", observing only")
	}
	return f
}

type failure struct {
	Frame      frame
	What, Cure string
}

type signIn struct {
	Frame            frame
	Next, What, Cure string
}

func (s *site) loadPages() (*template.Template, error) {
	return template.New("").Funcs(template.FuncMap{
		"v":      render.Visible,
		"short":  shortCommit,
		"pieces": pieces,
	}).ParseFS(files, "templates/*.html")
}

// page renders a template whole before anything is sent.
func (s *site) page(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	var b bytes.Buffer
	if err := s.pages.ExecuteTemplate(&b, name, data); err != nil {
		s.Log.Error("a page cannot be rendered", "page", name, "error", err)
		http.Error(w, "the page cannot be rendered; the log says why", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(b.Bytes())
	}
}

func (s *site) overview(w http.ResponseWriter, r *http.Request) {
	latest, _ := s.Board.Latest()
	now := s.Now()
	o := overviewOf(latest, filterOf(r.URL.Query()), now)
	o.Asked = r.URL.Query().Has("asked")
	o.Frame = s.liveFrame(r, o.Title, latest)
	s.page(w, r, http.StatusOK, "overview", o)
}

func (s *site) agentPage(w http.ResponseWriter, r *http.Request) {
	latest, _ := s.Board.Latest()
	agent := find(latest, addressOf(r))
	if agent == nil {
		s.fail(w, r, problem{http.StatusNotFound, "no agent " + render.Visible(addressOf(r)), "it may have been renamed or taken out; the overview lists all"})
		return
	}
	p := agentOf(latest, agent, s.Now())
	p.Asked = r.URL.Query().Has("asked")
	p.Frame = s.liveFrame(r, render.Visible(agent.Address)+": "+aboutState(agent.State).Word, latest)
	s.page(w, r, http.StatusOK, "agent", p)
}

// look takes the page's button: a look at one agent or at all.
func (s *site) look(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, formSize)
	if err := r.ParseForm(); err != nil {
		s.fail(w, r, problem{http.StatusBadRequest, "the form cannot be read", "go back and try again"})
		return
	}
	var targets []string
	if t := r.PostForm.Get("target"); t != "" {
		targets = []string{t}
	}
	if fault := s.ask(r, targets); fault != nil {
		s.fail(w, r, *fault)
		return
	}
	http.Redirect(w, r, askedPath(localPath(r.PostForm.Get("back"))), http.StatusSeeOther)
}

// askedPath is path with the note that a look was asked for.
func askedPath(path string) string {
	path, _, _ = strings.Cut(path, "#")
	if strings.Contains(path, "?") {
		return path + "&asked=1"
	}
	return path + "?asked=1"
}

// shortCommit is a commit as people name it.
func shortCommit(commit string) string { return render.Visible(commit[:min(len(commit), 10)]) }

// took is a duration in seconds as pages show it.
func took(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}

// piece is a part of a sentence; Code says that it was between backticks.
type piece struct {
	Text string
	Code bool
}

// pieces takes a sentence apart at its backticks, where they come in pairs.
func pieces(sentence string) []piece {
	parts := strings.Split(render.Visible(sentence), "`")
	if len(parts)%2 == 0 {
		return []piece{{Text: strings.Join(parts, "`")}}
	}
	var list []piece
	for i, text := range parts {
		if text != "" {
			list = append(list, piece{text, i%2 == 1})
		}
	}
	return list
}
