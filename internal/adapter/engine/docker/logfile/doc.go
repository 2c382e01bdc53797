// Package logfile reads the files in which Docker keeps the output of a container
// (driver "json-file") while Docker writes and rotates them. Docker's own way to follow
// a log hangs or leaves lines out when the reader is behind at a rotation; a reader
// that holds the files open sees every line, or sees that some are gone.
package logfile
