"""What MLPerf LoadGen (PyPI: mlcommons-loadgen) issues to a null system: JSON on stdout.

Arguments: scenario, queries, qps, samples of the library, samples in memory, folder for its logs.
"""
import json
import re
import sys

import mlperf_loadgen as loadgen

scenario, queries, qps, total, performance, folder = sys.argv[1:7]
samples = []


def issue(query):
    samples.extend(sample.index for sample in query)
    loadgen.QuerySamplesComplete([loadgen.QuerySampleResponse(sample.id, 0, 0) for sample in query])


settings = loadgen.TestSettings()
settings.scenario = getattr(loadgen.TestScenario, scenario)
settings.mode = loadgen.TestMode.PerformanceOnly
settings.server_target_qps = float(qps)
settings.offline_expected_qps = float(qps)
settings.server_target_latency_ns = 10**9
settings.single_stream_expected_latency_ns = 10**6
settings.multi_stream_expected_latency_ns = 10**6
settings.min_query_count = settings.max_query_count = int(queries)
settings.min_duration_ms = 0 if scenario == "Server" else 1
settings.qsl_rng_seed, settings.sample_index_rng_seed, settings.schedule_rng_seed = map(int, sys.argv[7:10])
logs = loadgen.LogSettings()
output = loadgen.LogOutputSettings()
output.outdir = folder
logs.log_output = output
logs.enable_trace = True
system = loadgen.ConstructSUT(issue, lambda: None)
library = loadgen.ConstructQSL(int(total), int(performance), lambda _: None, lambda _: None)
loadgen.StartTestWithLogSettings(system, library, settings, logs)
loadgen.DestroyQSL(library)
loadgen.DestroySUT(system)

# A sample's trace begins when it was scheduled: microseconds with three digits, ns since LoadGen's own start.
begins = {}
with open(f"{folder}/mlperf_log_trace.json", encoding="utf8") as trace:
    for line in trace:
        found = re.search(r'"name":"Sample".*"ph":"b".*"ts":(\d+)\.(\d{3}).*"query_seq":(\d+)', line)
        if found:
            begins[int(found[3])] = int(found[1]) * 1000 + int(found[2])
due = [begins[query] - begins[0] for query in range(len(begins))]
json.dump({"samples": samples, "dueNs": due}, sys.stdout)
