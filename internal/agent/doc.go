// Package agent is the hands: it makes this host look like its assignments. It
// decides purely (rooms plan and restart), acts through the ports declared here,
// and reports. It keeps no state of its own: after a restart it adopts what runs
// by label, reads its assignments again and plans again.
package agent
