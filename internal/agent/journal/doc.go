// Package journal follows a container's output through whatever happens to it: the
// engine drops old output, the process ends and starts again, the container is made
// anew, the follower is slow or comes back later with a cursor. Nothing is told twice,
// and what could not be told is told to be missing.
package journal
