#!/usr/bin/env bash
# Tools for the interoperability tests, put under .ci/tools (git-ignored): tritonclient and perf_analyzer from PyPI, ghz from Go.
# Nothing here is needed for `npm ci && npm test`; what can't be had is said and its tests are skipped aloud.
set -uo pipefail
log=${1:-/tmp}; tools=${SERVEMARK_TOOLS:-$PWD/.ci/tools}; mkdir -p "$tools/bin"
if [ ! -x "$tools/bin/tritonclient-python" ]; then
  if python3 -m venv "$tools/venv" >"$log/venv.log" 2>&1 && "$tools/venv/bin/pip" install -q 'tritonclient[all]==2.39.0' onnxruntime 'numpy<2' 'setuptools<81' >"$log/pip.log" 2>&1; then
    ln -sf "$tools/venv/bin/python" "$tools/bin/tritonclient-python"
    [ -x "$tools/venv/bin/perf_analyzer" ] && ln -sf "$tools/venv/bin/perf_analyzer" "$tools/bin/perf_analyzer"
  else echo "skipped: tritonclient and perf_analyzer can't be had here ($(tail -n 1 "$log"/pip.log "$log"/venv.log 2>/dev/null | tail -n 1))"; fi
fi
if [ ! -x "$tools/bin/ghz" ]; then
  if command -v go >/dev/null && GOBIN="$tools/bin" go install github.com/bojand/ghz/cmd/ghz@v0.120.0 >"$log/go.log" 2>&1; then :
  else echo "skipped: ghz can't be had here (Go is absent, or: $(tail -n 1 "$log/go.log" 2>/dev/null))"; fi
fi
exit 0
