"""Infers with NVIDIA's Python client over HTTP (binary and JSON) and gRPC; prints the largest difference from onnxruntime."""
import json
import sys

import numpy as np
import onnxruntime
import tritonclient.grpc as grpc
import tritonclient.http as http
from tritonclient.utils import InferenceServerException

rest, grpc_address, model_path = sys.argv[1:4]
rows = np.random.default_rng(7).random((5, 784), dtype=np.float32)
session = onnxruntime.InferenceSession(model_path, providers=["CPUExecutionProvider"])
expected = session.run(None, {session.get_inputs()[0].name: rows})[0]
input_name, output_name = session.get_inputs()[0].name, session.get_outputs()[0].name


def check(module, client, **options):
    tensor = module.InferInput(input_name, rows.shape, "FP32")
    tensor.set_data_from_numpy(rows, **options.get("input", {}))
    wanted = module.InferRequestedOutput(output_name, **options.get("output", {}))
    result = client.infer("fashion-mlp", [tensor], outputs=[wanted], request_id="seven")
    reply = result.get_response()
    identity = reply["id"] if isinstance(reply, dict) else reply.id
    assert identity == "seven", identity
    return float(np.abs(result.as_numpy(output_name) - expected).max())


over_http = http.InferenceServerClient(rest)
over_grpc = grpc.InferenceServerClient(grpc_address)
found = {
    "http_binary": check(http, over_http),
    "http_json": check(http, over_http, input={"binary_data": False}, output={"binary_data": False}),
    "grpc": check(grpc, over_grpc),
}
for client in (over_http, over_grpc):
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("fashion-mlp")
assert not over_http.is_model_ready("nobody")
try:
    over_grpc.is_model_ready("nobody")
    raise AssertionError("an unknown model must be NOT_FOUND")
except InferenceServerException as error:
    assert "NOT_FOUND" in error.status(), error
metadata = over_http.get_model_metadata("fashion-mlp")
assert metadata["inputs"][0]["shape"] == [-1, 784], metadata
assert [int(n) for n in over_grpc.get_model_metadata("fashion-mlp").inputs[0].shape] == [-1, 784]
assert over_http.get_model_config("fashion-mlp")["max_batch_size"] > 0
assert over_grpc.get_model_config("fashion-mlp").config.max_batch_size > 0
statistics = over_http.get_inference_statistics("fashion-mlp")["model_stats"][0]
assert statistics["inference_count"] == 15, statistics
assert over_grpc.get_inference_statistics("fashion-mlp").model_stats[0].inference_count == 15
print(json.dumps(found))
