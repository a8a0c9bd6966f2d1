"""Runs the network of MusiCNN, as the package `musicnn` stores it.

This program runs in an environment of its own, which has TensorFlow and `musicnn`: see `peer_programs.py`. It reads one
patch (187, 96) of a log-mel spectrum after the other from the standard input, in float32, and writes 200 numbers for
each.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

SPECTRA, IS_TRAINING = "model/Placeholder:0", "model/Placeholder_2:0"
DESCRIPTOR = "model/dense/BiasAdd"
FRAMES, MELS = 187, 96


def main() -> None:
    tf1 = tf.compat.v1
    package = find_spec("musicnn")
    assert package is not None
    assert package.origin is not None
    folder = Path(package.origin).parent / "MSD_musicnn"
    stored = MetaGraphDef.FromString((folder / ".meta").read_bytes())
    # The rest of the stored graph trains the network. TensorFlow 2 rejects it.
    graph = tf1.graph_util.extract_sub_graph(stored.graph_def, [DESCRIPTOR])
    weights = tf1.train.NewCheckpointReader(f"{folder}/")
    fed = {f"{node.name}/read:0": weights.get_tensor(node.name) for node in graph.node if node.op == "VariableV2"}
    with tf.Graph().as_default(), tf1.Session() as session:
        tf1.import_graph_def(graph, name="")
        while patch := sys.stdin.buffer.read(np.dtype(np.float32).itemsize * FRAMES * MELS):
            spectra = np.frombuffer(patch, np.float32).reshape(1, FRAMES, MELS)
            found = session.run(f"{DESCRIPTOR}:0", {SPECTRA: spectra, IS_TRAINING: False, **fed})
            sys.stdout.buffer.write(found.tobytes())
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
