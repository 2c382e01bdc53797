// Package images holds a running service on a real engine, with real registries, to
// what is said of images: who may use one that is on a host, which are refused, and
// which go.
package images
