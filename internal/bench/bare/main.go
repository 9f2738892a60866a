// Command bare is the program that the benchmark measures agentsync against: the least that a program can do for the same answer. It
// reads manifests with yaml.v3, lists pages of agents over HTTP and compares them with reflect.DeepEqual. It checks nothing, keeps no
// state, paces nothing, and knows of nothing that can go wrong.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"reflect"

	"gopkg.in/yaml.v3"
)

type manifest struct {
	Metadata struct{ Name string }
	Spec     struct{ Config map[string]any }
}

// row is an agent of the list: its name and its config.
type row struct {
	Name   string         `json:"name"`
	Config map[string]any `json:"config"`
}

func main() {
	list := flag.String("list", "", "URL of the list, to which the number of a page is added")
	flag.Parse()
	desired, err := read(flag.Arg(0))
	if err != nil {
		log.Fatal(err)
	}
	changed := 0
	for page := 0; *list != ""; page++ {
		rows, err := get(fmt.Sprintf("%s%d", *list, page))
		if err != nil {
			log.Fatal(err)
		}
		for _, r := range rows {
			if !reflect.DeepEqual(desired[r.Name], r.Config) {
				changed++
			}
		}
		if len(rows) == 0 {
			break
		}
	}
	fmt.Printf("%d agents, %d changed\n", len(desired), changed)
}

// read returns the configs of the manifests in dir, by name.
func read(dir string) (map[string]map[string]any, error) {
	files, err := filepath.Glob(filepath.Join(dir, "agent-*.yaml"))
	if err != nil {
		return nil, err
	}
	desired := make(map[string]map[string]any, len(files))
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var m manifest
		if err := yaml.Unmarshal(data, &m); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		desired[m.Metadata.Name] = m.Spec.Config
	}
	return desired, nil
}

func get(url string) ([]row, error) {
	answer, err := http.Get(url)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %s", url, answer.Status)
	}
	var rows []row
	return rows, json.NewDecoder(answer.Body).Decode(&rows)
}
