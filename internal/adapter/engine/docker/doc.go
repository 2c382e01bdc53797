// Package docker drives a Docker engine. A container is a sandbox and a member: the
// sandbox is a holder process that does nothing but keep a network namespace, which
// we plug ourselves; the member joins it. The engine gets no network, no restart
// policy and no published port from us, so that nothing happens behind our back.
//
// Objects are found by labels. A sandbox may be born in a pool, before its container
// is known; labels cannot change afterwards, so a sandbox belongs to the container
// that its name tells.
package docker
