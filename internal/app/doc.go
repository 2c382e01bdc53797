// Package app is the roof: it turns configuration into objects and starts them.
// It composes and decides nothing; which driver stands behind a name is one
// table in drivers.go.
package app
