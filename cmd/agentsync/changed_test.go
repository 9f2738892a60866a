package main

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"agentsync.dev/agentsync/pkg/spec"
)

// every sets one field of a T at a time and reports those whose change same does not see. Places do not count, and left are compared elsewhere.
func every[T any](t *testing.T, same func(a, b *T) bool, left ...string) {
	t.Helper()
	var a, again T
	if !same(&a, &again) {
		t.Errorf("two empty %T differ", a)
	}
	for i := range reflect.TypeFor[T]().NumField() {
		field := reflect.TypeFor[T]().Field(i)
		if field.Type == reflect.TypeFor[spec.Pos]() || slices.Contains(left, field.Name) {
			continue
		}
		var b T
		set(t, reflect.ValueOf(&b).Elem().Field(i))
		if same(&a, &b) || same(&b, &a) {
			t.Errorf("%T: a change of %s is not seen", a, field.Name)
		}
		var c T
		set(t, reflect.ValueOf(&c).Elem().Field(i))
		if !same(&b, &c) {
			t.Errorf("%T: the same %s twice differs", a, field.Name)
		}
	}
}

// set gives v a value that is not its zero, made anew each time.
func set(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		set(t, v.Index(0))
	case reflect.Map:
		value := reflect.New(v.Type().Elem()).Elem()
		set(t, value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("k"), value)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		set(t, v.Elem())
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)))
			return
		}
		set(t, v.Field(0))
	default:
		t.Fatalf("no value for %s", v.Type())
	}
}

// TestChangedSeesEveryField: a field that is added to a document must be compared too.
func TestChangedSeesEveryField(t *testing.T) {
	every(t, sameSpec, "Name", "Provider", "Config")
	every(t, sameProvider, "Name", "At")
	every(t, sameConfig, "Dir", "Freeze") // a freeze is for the watcher, and changes no plan
	every(t, sameAccount, "Name", "At", "Auth", "Options", "Limits", "Timeout")
	for _, one := range []*spec.Suspend{{Reason: "x"}, {Until: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}} {
		if sameSpec(&spec.Agent{Suspend: &spec.Suspend{}}, &spec.Agent{Suspend: one}) {
			t.Errorf("a change of %v is not seen", one)
		}
	}
	env := func(name string) *spec.Provider {
		return &spec.Provider{Auth: map[string]*spec.Value{"apiKey": {Text: "k", Sensitive: true, From: "env " + name}}}
	}
	if sameProvider(env("A"), env("B")) || !sameProvider(env("A"), env("A")) || sameProvider(env("A"), nil) || !sameProvider(nil, nil) {
		t.Error("the variable of a key does not count")
	}
}
