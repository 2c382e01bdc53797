// Package config reads zun.conf the way the original's services do, checks every
// value against one table of options, and hands each concern a typed struct. The
// table is also what the sample file, the check, the show command and
// docs/reference/config.md are printed from.
//
// The INI reader is our own: oslo.config keeps every value of a repeated name,
// joins indented lines with a line feed, knows no inline comments and no escapes,
// and our errors name the line of a value. The ready-made INI libraries drop
// repeated equal values, cut values at " #" and forget line numbers.
package config
