// Package fake is a container engine without containers. It obeys the same port
// and passes the same suite as a real one, keeps its objects in a directory, so
// that they outlive the agent as real containers do, and fails on cue. Processes
// are simulated from a small vocabulary (program.go) and end by the clock; network
// namespaces are real ones if asked for, so that plumbing can be tested on them.
package fake
