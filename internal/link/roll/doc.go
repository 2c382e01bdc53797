// Package roll is what one replica of control knows of who is admitted to the link.
package roll
