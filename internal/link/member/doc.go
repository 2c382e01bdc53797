// Package member is how hosts and console doors alike belong to a deployment: they join
// with a token, keep what control issued, renew it, and learn that it is good no more.
package member
