package web_test

import (
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Every pair of text and ground that the stylesheet makes can be read in both schemes: WCAG 2.2 asks for 4.5:1, and 3:1 for what is no text.
func TestContrast(t *testing.T) {
	data, err := os.ReadFile("assets/style.css")
	if err != nil {
		t.Fatal(err)
	}
	light, rest, ok := strings.Cut(string(data), "@media (prefers-color-scheme: dark) {")
	dark, _, closed := strings.Cut(rest, "* { box-sizing")
	if !ok || !closed {
		t.Fatal("the stylesheet does not begin with the colours")
	}
	type pair struct {
		text, ground string
		least        float64
	}
	pairs := []pair{{"button-text", "button", 4.5}, {"text", "old-ground", 4.5}}
	for _, ground := range []string{"ground", "surface", "bad-ground", "warn-ground", "good-ground", "quiet-ground"} {
		for _, text := range []string{"text", "link"} {
			pairs = append(pairs, pair{text, ground, 4.5})
		}
		pairs = append(pairs, pair{"focus", ground, 3})
	}
	for _, tone := range []string{"bad", "warn", "good", "quiet"} {
		pairs = append(pairs, pair{tone, tone + "-ground", 4.5}, pair{tone, "surface", 4.5}, pair{tone, "ground", 4.5})
	}
	for _, ground := range []string{"ground", "surface", "quiet-ground"} {
		pairs = append(pairs, pair{"muted", ground, 4.5})
	}
	for _, side := range []string{"old", "new"} {
		pairs = append(pairs, pair{side, side + "-ground", 4.5}, pair{side, side + "-mark", 4.5})
	}
	for scheme, css := range map[string]string{"light": light, "dark": dark} {
		colours := map[string]float64{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`).FindAllStringSubmatch(css, -1) {
			colours[m[1]] = luminance(t, m[2])
		}
		for _, p := range pairs {
			a, b := colours[p.text], colours[p.ground]
			if _, ok := colours[p.text]; !ok {
				t.Errorf("%s has no colour %s", scheme, p.text)
			}
			if ratio := (math.Max(a, b) + 0.05) / (math.Min(a, b) + 0.05); ratio < p.least {
				t.Errorf("%s: %s on %s is %.2f:1, below %.1f:1", scheme, p.text, p.ground, ratio, p.least)
			}
		}
	}
}

// luminance is the relative luminance of an sRGB colour, as WCAG defines it.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	part := func(v uint64) float64 {
		c := float64(v&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*part(n>>16) + 0.7152*part(n>>8) + 0.0722*part(n)
}
