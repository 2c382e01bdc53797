# Formatting, the linter, the budgets of the house, and nothing generated that drifted.
ran=0 bad=0
check() { ran=$((ran + 1)); local what=$1; shift; "$@" || { bad=$((bad + 1)); say "FAIL $what"; }; }
formatted() { local out; out=$(git ls-files '*.go' | xargs gofmt -l); [ -z "$out" ] || { say "$out"; return 1; }; }
short_files() { local out; out=$(git ls-files '*.go' | grep -v -e ^internal/gen/ -e _test.go$ | xargs wc -l | awk '$2 != "total" && $1 > 500'); [ -z "$out" ] || { say "$out"; return 1; }; }
clean_words() { ! git grep -nIE 'TODO|FIXME|not implemented|unimplemented' -- '*.go' ':!internal/gen' ':!*_test.go'; }
linter() { "$(go_tool golangci-lint "$GOLANGCI")" run --allow-parallel-runners ./...; }
shell() { local f rc=0; for f in $(git ls-files '*.sh' test/run .ci/run); do bash -n "$f" || rc=1; done; return $rc; }
check gofmt formatted
check "files over 500 lines" short_files
check "promises in the code" clean_words
check "shell syntax" shell
check "go.mod is tidy" go mod tidy -diff
check golangci-lint linter
figure lint $ran $bad
[ $bad -eq 0 ]
