package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// table prints the figures of one world, each beside those of the bare program.
type table struct {
	options
	markdown bool
	steps    []string // none: all
}

var columns = []string{"", "wall", "CPU", "peak memory", "requests", "bare: wall", "CPU", "peak memory", "wall / bare", "CPU / bare"}

func (t *table) begin() {
	fmt.Printf("\n%s, %d agents, %s for each answer\n\n", t.vendor, t.agents, t.latency)
	t.line(columns)
	if t.markdown {
		fmt.Println("|" + strings.Repeat("---|", len(columns)))
	}
}

// row prints the figures of a step, beside the bare program's where they were measured.
func (t *table) row(name string, f, bare figures) {
	cells := []string{name, seconds(f.wall), seconds(f.cpu), memory(f.rss), requests(f.counts)}
	if bare.wall == 0 {
		cells = append(cells, "", "", "", "", "")
	} else {
		cells = append(cells, seconds(bare.wall), seconds(bare.cpu), memory(bare.rss), ratio(f.wall, bare.wall), ratio(f.cpu, bare.cpu))
	}
	t.line(cells)
}

func (t *table) line(cells []string) {
	if t.markdown {
		fmt.Println("| " + strings.Join(cells, " | ") + " |")
		return
	}
	fmt.Printf("%-22s", cells[0])
	for i, cell := range cells[1:] {
		width := 12
		if columns[i+1] == "requests" {
			width = 26
		}
		fmt.Printf("%*s", width, cell)
	}
	fmt.Println()
}

func memory(bytes int64) string {
	if bytes == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f MiB", float64(bytes)/(1<<20))
}

func seconds(d time.Duration) string {
	if d < 100*time.Millisecond {
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

func ratio(d, to time.Duration) string {
	return fmt.Sprintf("%.2f", float64(d)/float64(to))
}

func requests(counts map[string]int) string {
	var parts []string
	for _, verb := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[verb], verb))
	}
	if len(parts) == 0 {
		return "0"
	}
	return strings.Join(parts, ", ")
}
