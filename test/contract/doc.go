// Package contract replays recorded exchanges of the original service against the
// front door or against a running service, and compares status, code and message.
// Where an answer may differ, allowed.jsonl says so, line by line, with a reason.
package contract
