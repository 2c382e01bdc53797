# Stories of command-line clients against a running service on the fake engine: Debian's zun and openstack,
# unchanged, at several versions, and our own. Columns are compared with the recorded transcripts.
need_packages iproute2 iptables nftables python3-zunclient python3-openstackclient
goldens=${ZUN_GOLDEN_DIR:-$ROOT/../shared/golden}
[ -d "$goldens" ] || die "the recordings are needed at $goldens: put them there, or name their directory in ZUN_GOLDEN_DIR"
export ZUN_GOLDEN_DIR ZUN_TEST_BIN=$STATE/bin
ZUN_GOLDEN_DIR=$(cd "$goldens" && pwd)
mkdir -p "$ZUN_TEST_BIN"
CGO_ENABLED=0 go build -o "$ZUN_TEST_BIN/" ./cmd/zun-allinone ./cmd/zun
gotest clients -count=1 -tags integration -parallel 4 -timeout 8m ./test/script
