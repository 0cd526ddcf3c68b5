"""Loads, unloads and lists models with NVIDIA's Python client over HTTP and gRPC; prints what it saw."""
import json
import sys

import numpy as np
import tritonclient.grpc as grpc
import tritonclient.http as http
from tritonclient.utils import InferenceServerException

rest, grpc_address = sys.argv[1:3]
over_http, over_grpc = http.InferenceServerClient(rest), grpc.InferenceServerClient(grpc_address)


def refused(call):
    try:
        call()
        return None
    except InferenceServerException as error:
        return error.message()


def states(client):
    index = client.get_model_repository_index()
    entries = index if isinstance(index, list) else [
        {"name": each.name, "version": each.version, "state": each.state} for each in index.models
    ]
    return {each["name"]: each["state"] for each in entries}


def version_of(module, client, version=""):
    tensor = module.InferInput("x", [1, 4], "FP32")
    tensor.set_data_from_numpy(np.ones((1, 4), dtype=np.float32))
    reply = client.infer("m", [tensor], model_version=version).get_response()
    return reply["model_version"] if isinstance(reply, dict) else reply.model_version


found = {}
for name, module, client in (("http", http, over_http), ("grpc", grpc, over_grpc)):
    before = states(client)
    client.load_model("m")
    loaded, answered, pinned = states(client), version_of(module, client), version_of(module, client, "1")
    client.load_model("m", config=json.dumps({"max_batch_size": 4, "dynamic_batching": {}}))
    config = client.get_model_config("m")
    rows = config["max_batch_size"] if isinstance(config, dict) else config.config.max_batch_size
    client.unload_model("m")
    found[name] = {
        "states": [before["m"], loaded["m"], states(client)["m"]],
        "versions": [answered, pinned],
        "rows": rows,
        "ready": client.is_model_ready("m"),
        "unknown": refused(lambda: client.load_model("nobody")),
        "infer": refused(lambda: version_of(module, client)),
    }
print(json.dumps(found))
