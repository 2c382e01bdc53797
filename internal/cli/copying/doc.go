// Package copying copies files between this machine and containers, by the rules of
// docker cp, whatever their size.
package copying
