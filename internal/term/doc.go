// Package term is the console door: it takes a user's websocket, has the one-use
// ticket in its URL redeemed, and carries bytes between the user and the terminal
// that the ticket stands for. It decides nothing about containers, keeps nothing,
// and believes no header that a stranger can write.
package term
