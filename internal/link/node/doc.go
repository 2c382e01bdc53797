// Package node is the agent's side of the link: it joins the host to its
// deployment and keeps its certificate fresh, carries beats, assignments and
// reports to whichever control replica answers, and serves wakes, direct calls
// and streams from control.
package node
