package schema

import "testing"

func BenchmarkDecode(b *testing.B) {
	s, config := phone(b), value(b, "{name: n, speed: 1}")
	b.ReportAllocs()
	for b.Loop() {
		s.Decode(config, true)
	}
}
