// Package seal keeps secrets unreadable in the database: AES-256-GCM under keys of a
// file that replicas share.
//
// The file holds one key a line, "id base64". The first key seals; all of them open, so
// that a key is retired by putting a new one before it. What is sealed names its key,
// hence a wrong or missing key is told apart from damage.
package seal
