"""Runs in the peer's environment: datadiligence as its README says, over one Parquet file.

`python peer_client.py FILE API_URL MASK.npy`: the default evaluator, its own chunks, threads and timeouts. Prints seconds,
seconds of CPU and peak MiB.
"""

from __future__ import annotations

import resource
import sys
import time

import datadiligence
import numpy as np
import pyarrow.parquet as pq
from datadiligence.rules import SpawningAPI


def main() -> None:
    """Read, ask, write the mask."""
    file, api, mask = sys.argv[1:]
    SpawningAPI.SPAWNING_AI_API_URL = api
    datadiligence.load_defaults()
    started, cpu = time.perf_counter(), time.process_time()
    urls = pq.read_table(file, columns=["url"])["url"].to_pylist()
    keep = datadiligence.is_allowed(name="preprocess", urls=urls)
    np.save(mask, np.array(keep, dtype=bool))
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(time.perf_counter() - started, time.process_time() - cpu, rss)


if __name__ == "__main__":
    main()
