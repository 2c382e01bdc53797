// Package tarball packs files of this machine into a tar and unpacks one that a
// stranger made: nothing of it lands outside of where it belongs, whatever its names
// and links say.
package tarball
