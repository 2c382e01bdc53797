package api

import (
	"encoding/json"
	"fmt"
)

// Optional is a member that may be absent from an object, null, or a value. A
// caller who may not see a field does not get the key at all.
type Optional[T any] struct {
	Present bool
	Value   *T // nil: null
}

// Shown returns a present member; a nil value is sent as null.
func Shown[T any](value *T) Optional[T] { return Optional[T]{Present: true, Value: value} }

// IsZero makes the member disappear under the omitzero option.
func (o Optional[T]) IsZero() bool { return !o.Present }

// MarshalJSON writes the value or null.
func (o Optional[T]) MarshalJSON() ([]byte, error) {
	text, err := json.Marshal(o.Value)
	if err != nil {
		return nil, fmt.Errorf("encode optional member: %w", err)
	}
	return text, nil
}

// UnmarshalJSON notes that the member was there.
func (o *Optional[T]) UnmarshalJSON(text []byte) error {
	o.Present = true
	if err := json.Unmarshal(text, &o.Value); err != nil {
		return fmt.Errorf("decode optional member: %w", err)
	}
	return nil
}

// Or returns the value, or fallback if it is absent or null.
func (o Optional[T]) Or(fallback T) T {
	if o.Value == nil {
		return fallback
	}
	return *o.Value
}
