#!/usr/bin/env bash
# Tools for the interoperability tests, put under .ci/tools (git-ignored): tritonclient, perf_analyzer, MLPerf LoadGen
# and ONNX Runtime's quantiser from PyPI, ghz, vegeta, hey, k6 and h2spec from Go.
# Nothing here is needed for `npm ci && npm test`; what can't be had is said and its tests are skipped aloud.
set -uo pipefail
log=${1:-/tmp}; tools=${SERVEMARK_TOOLS:-$PWD/.ci/tools}; mkdir -p "$tools/bin"
if [ ! -x "$tools/bin/tritonclient-python" ]; then
  if python3 -m venv "$tools/venv" >"$log/venv.log" 2>&1 && "$tools/venv/bin/pip" install -q 'tritonclient[all]==2.39.0' fastapi uvicorn orjson onnxruntime 'numpy<2' 'setuptools<81' nvidia-cuda-runtime-cu12 >"$log/pip.log" 2>&1; then
    # A wrapper, not a link: through a link Python would not find its virtual environment.
    printf '#!/bin/sh\nexec "%s/venv/bin/python" "$@"\n' "$tools" >"$tools/bin/tritonclient-python"; chmod +x "$tools/bin/tritonclient-python"
  else echo "skipped: tritonclient and perf_analyzer can't be had here ($(tail -n 1 "$log"/pip.log "$log"/venv.log 2>/dev/null | tail -n 1))"; fi
fi
if [ -d "$tools/venv" ] && [ ! -x "$tools/bin/perf_analyzer" ]; then
  # Its binary is linked against libb64 (Debian) and the CUDA runtime (PyPI), also where there is no GPU.
  ldconfig -p | grep -q libb64.so.0d || { apt-get update && apt-get install -y libb64-0d; } >"$log/apt.log" 2>&1
  binary=$(find "$tools/venv" -name perf_analyzer -type f -size +1M | head -n 1)
  [ -n "$binary" ] || binary=$tools/venv/bin/perf_analyzer
  cuda=$(dirname "$(find "$tools/venv" -name 'libcudart.so.12' | head -n 1)" 2>/dev/null)
  chmod +x "$binary" 2>/dev/null
  printf '#!/bin/sh\nexport LD_LIBRARY_PATH="%s:$LD_LIBRARY_PATH"\nexec "%s" "$@"\n' "$cuda" "$binary" >"$tools/bin/perf_analyzer"; chmod +x "$tools/bin/perf_analyzer"
  # Into a variable: grep -q on a pipe would end the writer early, and pipefail would call that a failure.
  usage=$("$tools/bin/perf_analyzer" --help 2>&1 || true)
  [[ $usage == *--concurrency-range* ]] || { rm -f "$tools/bin/perf_analyzer"; echo "skipped: perf_analyzer does not start here ($(tail -n 1 "$log/apt.log" 2>/dev/null))"; }
fi
if [ ! -x "$tools/bin/loadgen-python" ]; then
  if python3 -m venv "$tools/loadgen" >"$log/loadgen.log" 2>&1 && "$tools/loadgen/bin/pip" install -q mlcommons-loadgen==6.0.17 >"$log/loadgen.log" 2>&1; then
    printf '#!/bin/sh\nexec "%s/loadgen/bin/python" "$@"\n' "$tools" >"$tools/bin/loadgen-python"; chmod +x "$tools/bin/loadgen-python"
  else echo "skipped: MLPerf LoadGen can't be had here ($(tail -n 1 "$log/loadgen.log" 2>/dev/null))"; fi
fi
if [ ! -x "$tools/bin/ortquant-python" ]; then
  # Python's own quantiser, which `quantize-static` is compared with; apart from tritonclient, whose protobuf is older.
  if python3 -m venv "$tools/quantize" >"$log/quantize.log" 2>&1 && "$tools/quantize/bin/pip" install -q onnx==1.23.2 onnxruntime 'numpy<2' sympy >"$log/quantize.log" 2>&1; then
    printf '#!/bin/sh\nexec "%s/quantize/bin/python" "$@"\n' "$tools" >"$tools/bin/ortquant-python"; chmod +x "$tools/bin/ortquant-python"
  else echo "skipped: onnxruntime.quantization can't be had here ($(tail -n 1 "$log/quantize.log" 2>/dev/null))"; fi
fi
# Other load generators, second opinions of `servemark crosscheck`. Go caches their builds; k6 is large: a limit of its own.
go_tool() { # name, module, seconds
  [ -x "$tools/bin/$1" ] && return
  if command -v go >/dev/null && GOBIN="$tools/bin" timeout "$3" go install "$2" >"$log/go-$1.log" 2>&1; then return; fi
  echo "skipped: $1 can't be had here (Go is absent, took more than $3 s, or: $(tail -n 1 "$log/go-$1.log" 2>/dev/null))"
}
go_tool ghz github.com/bojand/ghz/cmd/ghz@v0.120.0 300
go_tool vegeta github.com/tsenart/vegeta/v12@v12.13.0 200
go_tool hey github.com/rakyll/hey@v0.1.5 100
go_tool k6 go.k6.io/k6@v1.8.1 400
go_tool h2spec github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible 200
if ! command -v chromium >/dev/null; then
  # For the test of the live page in a browser.
  { apt-get update && apt-get install -y --no-install-recommends chromium; } >"$log/chromium.log" 2>&1 || echo "skipped: chromium can't be had here ($(tail -n 1 "$log/chromium.log"))"
fi
if [ ! -x "$tools/bin/grpcurl" ]; then
  if command -v go >/dev/null && GOBIN="$tools/bin" go install github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4 >"$log/grpcurl.log" 2>&1; then :
  else echo "skipped: grpcurl can't be had here (Go is absent, or: $(tail -n 1 "$log/grpcurl.log" 2>/dev/null))"; fi
fi
exit 0
