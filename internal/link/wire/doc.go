// Package wire converts between the nouns of the ground floor and the messages
// of the contract in internal/link/proto, and carries faults and byte streams
// across. It is the only place where both vocabularies meet.
package wire
