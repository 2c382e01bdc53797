package docker

import "testing"

func TestProjectQuotaIsReadFromTheMountThatHoldsTheEnginesDirectory(t *testing.T) {
	t.Parallel()
	const mounts = `21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
22 21 8:2 / /var/lib/docker rw,relatime shared:2 - xfs /dev/sdb rw,attr2,inode64,prjquota
23 21 8:3 / /srv/with\040blank rw,relatime - xfs /dev/sdc rw,prjquota
24 21 8:4 / /srv/plain rw,relatime - xfs /dev/sdd rw,noquota
25 21 8:5 / /over rw,relatime - xfs /dev/sde rw,prjquota
26 25 8:6 / /over rw,relatime - xfs /dev/sdf rw,noquota
broken
`
	for path, want := range map[string]bool{
		"/var/lib/docker": true, "/var/lib/docker/data": true, "/var/lib/docker-other": false, "/var/lib": false, "/": false,
		"/srv/with blank/docker": true, "/srv/plain": false, "/over/docker": false,
	} {
		if got := countsByProject(mounts, path); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
	xfs := [][2]string{{"Backing Filesystem", "xfs"}, {"Supports d_type", "true"}}
	if quotaCapable("overlay2", xfs, "/proc") || quotaCapable("vfs", nil, "/") || !quotaCapable("btrfs", nil, "/") {
		t.Error("a driver is taken for what it is not")
	}
}
