// Package mount is the host half of volumes. A volume of a size is a file of that size,
// formatted once, in a loop device mounted for the container: the file system's own end
// is what holds it to its size. The files are named by deployment, container and volume,
// so that what a crash left is found. The cloud half, which says which volumes a
// container has, is another room.
package mount
