// Package ctl is control's side of the link: it keeps the deployment's
// authority, serves agents (join, renewal, beats, assignments, reports), and
// dials them for wakes, direct calls and streams.
package ctl
