// Package static is the built-in identity: users, projects and roles in one small
// file, spoken to in Keystone's v3 wire format so that unchanged clients log in.
//
// A token is a signed statement of who it was issued to; checking one needs no
// look-up outside the process. Names and roles are read from the users file at each
// check, so that taking a role or a user away works at once.
//
// Every file is written with mode 0600 and may be shared by replicas: the users file,
// the signing key and the list of revoked tokens. A change that another process made
// is seen within a second.
package static
