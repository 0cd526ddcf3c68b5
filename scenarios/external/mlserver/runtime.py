"""An MLServer runtime for ONNX files; with adaptive batching MLServer joins requests before it calls `predict`."""

import json
import time

import onnxruntime as ort
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.handlers import custom_handler
from mlserver.types import InferenceRequest, InferenceResponse, MetadataTensor
from mlserver.utils import get_model_uri
from starlette.responses import Response

DATATYPES = {"tensor(float)": "FP32", "tensor(double)": "FP64", "tensor(int64)": "INT64"}


def describe(tensor):
    shape = [dim if isinstance(dim, int) else -1 for dim in tensor.shape]
    return MetadataTensor(name=tensor.name, datatype=DATATYPES[tensor.type], shape=shape)


class OnnxRuntime(MLModel):
    async def load(self) -> bool:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        path = await get_model_uri(self._settings)
        self._session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.inputs = [describe(each) for each in self._session.get_inputs()]
        self.outputs = [describe(each) for each in self._session.get_outputs()]
        self._batches = {}
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        feeds = {each.name: NumpyCodec.decode_input(each) for each in payload.inputs}
        rows = len(next(iter(feeds.values())))
        begin = time.perf_counter_ns()
        results = self._session.run(None, feeds)
        count, ns = self._batches.get(rows, (0, 0))
        self._batches[rows] = (count + 1, ns + time.perf_counter_ns() - begin)
        outputs = [NumpyCodec.encode_output(each.name, result) for each, result in zip(self.outputs, results)]
        return InferenceResponse(model_name=self.name, model_version=self.version, outputs=outputs)

    # MLServer has no statistics extension: this much of it tells the sizes of its batches.
    @custom_handler(rest_path="/v2/models/mlp/stats", rest_method="GET")
    async def stats(self) -> Response:
        none = {"count": 0, "ns": 0}
        batches = [
            {
                "batch_size": rows,
                "compute_input": none,
                "compute_infer": {"count": count, "ns": ns},
                "compute_output": none,
            }
            for rows, (count, ns) in sorted(self._batches.items())
        ]
        entry = {"name": self.name, "version": "", "inference_stats": {}, "batch_stats": batches}
        return Response(json.dumps({"model_stats": [entry]}), media_type="application/json")
