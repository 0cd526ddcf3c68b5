"""What people used to do: FastAPI, orjson, ONNX Runtime on a thread pool, one request an execution.

    python app.py --model model.onnx --name mlp --port 8000

Speaks as much of KServe v2 as a client needs: health, metadata, infer (JSON), statistics.
"""

import argparse
import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime as ort
import orjson
import uvicorn
from fastapi import FastAPI, Request, Response

DATATYPES = {"tensor(float)": ("FP32", np.float32), "tensor(double)": ("FP64", np.float64), "tensor(int64)": ("INT64", np.int64)}


def open_session(path):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def describe(tensor):
    shape = [dim if isinstance(dim, int) else -1 for dim in tensor.shape]
    return {"name": tensor.name, "datatype": DATATYPES[tensor.type][0], "shape": shape}


def create_app(name, path, threads):
    app = FastAPI()
    session = open_session(path)
    inputs = {each.name: DATATYPES[each.type][1] for each in session.get_inputs()}
    outputs = [describe(each) for each in session.get_outputs()]
    pool = ThreadPoolExecutor(threads)
    totals = {"count": 0, "ns": 0}

    def run(feeds):
        begin = time.perf_counter_ns()
        results = session.run(None, feeds)
        totals["count"] += 1
        totals["ns"] += time.perf_counter_ns() - begin
        return results

    @app.get("/v2/health/ready")
    @app.get(f"/v2/models/{name}/ready")
    async def ready():
        return {"ready": True}

    @app.get(f"/v2/models/{name}")
    async def metadata():
        return {
            "name": name,
            "versions": ["1"],
            "platform": "fastapi",
            "inputs": [describe(each) for each in session.get_inputs()],
            "outputs": outputs,
        }

    @app.get(f"/v2/models/{name}/stats")
    async def stats():
        one = dict(totals)
        none = {"count": 0, "ns": 0}
        kinds = ["fail", "queue", "compute_input", "compute_output", "cache_hit", "cache_miss"]
        inference = {kind: none for kind in kinds} | {"success": one, "compute_infer": one}
        batch = {"batch_size": 1, "compute_input": none, "compute_infer": one, "compute_output": none}
        entry = {
            "name": name,
            "version": "1",
            "last_inference": 0,
            "inference_count": one["count"],
            "execution_count": one["count"],
            "inference_stats": inference,
            "batch_stats": [batch],
        }
        return {"model_stats": [entry]}

    @app.post(f"/v2/models/{name}/infer")
    async def infer(request: Request):
        try:
            body = orjson.loads(await request.body())
            feeds = {
                each["name"]: np.asarray(each["data"], dtype=inputs[each["name"]]).reshape(each["shape"])
                for each in body["inputs"]
            }
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            return Response(orjson.dumps({"error": repr(error)}), status_code=400, media_type="application/json")
        results = await asyncio.get_running_loop().run_in_executor(pool, run, feeds)
        answer = {
            "model_name": name,
            "model_version": "1",
            "outputs": [
                {"name": each["name"], "datatype": each["datatype"], "shape": result.shape, "data": result.ravel()}
                for each, result in zip(outputs, results)
            ],
        }
        return Response(orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")

    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--name", default="mlp")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    uvicorn.run(
        create_app(arguments.name, arguments.model, arguments.threads),
        host="127.0.0.1",
        port=arguments.port,
        log_level="warning",
        access_log=False,
    )
