// Package view turns the domain's nouns into what travels on the wire. It decides
// only how things look: who may see a field is asked of the caller.
package view
