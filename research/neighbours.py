"""Similar confirmed cases: search time among 100,000, and how often they are of the same class.

    python -m research.neighbours                     search only: NumPy and index libraries, if installed
    python -m research.neighbours --database          with access rules and queries, on SQLite
    python -m research.neighbours DATA                macro precision at 5 on the held-out folds of DATA/ham10000

Index libraries are compared if installed: usearch, hnswlib, faiss (pip install usearch hnswlib faiss-cpu, in a
separate environment: DermaScan needs none of them).
"""

import argparse
import importlib
import resource
import time
import uuid
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.beginning import run
from benchmarks.settled import settle
from mlmodel.network.neighbours import DIMENSIONS, Archive, unit

SHOWN = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?", help="the folder that contains ham10000/")
    parser.add_argument("--database", action="store_true")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--wait", type=int, default=61, help="seconds until the new cases count as old (61)")
    parser.add_argument("--features", type=Path, default=Path("var/features"), help="the folder of stored features")
    parser.add_argument("--folds", type=int, nargs="+", default=[8, 9], help="use 7 to choose settings")
    options = parser.parse_args()
    if options.data:
        precision(options.data, options.features, tuple(options.folds))
    elif options.database:
        database(options.count, options.queries, wait=options.wait)
    else:
        search(options.count, options.queries)


# --- Search only ---------------------------------------------------------------------------------------------


def search(count: int, query_count: int) -> None:
    """Time searches in clustered vectors, which resemble confirmed cases; queries are from the same clusters."""
    vectors, queries = _clustered(count, seed=0), _clustered(query_count, seed=1)
    truth = [set(np.argpartition(-(vectors @ query), SHOWN)[:SHOWN].tolist()) for query in queries]
    print(f"{count:,} vectors of {DIMENSIONS} dimensions, {query_count} queries, the {SHOWN} nearest, one thread")
    print(f"{'':24}{'build':>9}{'p50':>10}{'p95':>10}{'memory':>10}{'recall':>9}")
    for name, build in CONTESTANTS.items():
        try:
            before, started = _memory(), time.perf_counter()
            ask = build(vectors)
        except ImportError:
            print(f"{name:24}{'not installed':>15}")
            continue
        built, grown = time.perf_counter() - started, _memory() - before
        times, hits = [], []
        for query, true in zip(queries, truth, strict=True):
            started = time.perf_counter()
            nearest = ask(query)
            times.append((time.perf_counter() - started) * 1000)
            hits.append(len(set(nearest) & true) / SHOWN)
        p50, p95 = np.percentile(times, (50, 95))
        print(f"{name:24}{built:>7.1f} s{p50:>7.2f} ms{p95:>7.2f} ms{grown:>7.0f} MB{np.mean(hits):>9.3f}", flush=True)


def _clustered(count: int, *, seed: int) -> np.ndarray:
    centres = np.random.default_rng(99).standard_normal((400, DIMENSIONS))
    generator = np.random.default_rng(seed)
    return unit(
        (centres[generator.integers(0, 400, count)] + generator.standard_normal((count, DIMENSIONS))).astype(
            np.float32
        )
    )


def _memory() -> float:
    """Return the current memory of this process in megabytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def _archive(vectors: np.ndarray) -> Callable[[np.ndarray], list[Any]]:
    archive: Archive[int, int] = Archive()
    archive.put(range(len(vectors)), range(len(vectors)), vectors)
    return lambda query: [key for key, _similarity in archive.nearest(query, count=SHOWN)]


def _mapped(vectors: np.ndarray) -> Callable[[np.ndarray], list[Any]]:
    """Search memory-mapped float16 vectors: half the size, but NumPy has no native float16 product."""
    path = Path("/tmp") / f"neighbours-{uuid.uuid4().hex}.f16"
    vectors.astype(np.float16).tofile(path)
    mapped = np.memmap(path, np.float16, "r", shape=vectors.shape)
    path.unlink()

    def ask(query: np.ndarray) -> list[int]:
        similarities = np.concatenate(
            [mapped[start : start + 8192].astype(np.float32) @ query for start in range(0, len(mapped), 8192)]
        )
        return list(np.argpartition(-similarities, SHOWN)[:SHOWN].tolist())

    return ask


def _usearch(vectors: np.ndarray) -> Callable[[np.ndarray], list[int]]:
    index = importlib.import_module("usearch.index").Index(ndim=DIMENSIONS, metric="cos", dtype="f16")
    index.add(np.arange(len(vectors)), vectors, threads=1)
    return lambda query: list(index.search(query, SHOWN, threads=1).keys.tolist())


def _usearch_exact(vectors: np.ndarray) -> Callable[[np.ndarray], list[int]]:
    module = importlib.import_module("usearch.index")
    halves = vectors.astype(np.float16)
    return lambda query: list(
        module.search(halves, query.astype(np.float16), SHOWN, "cos", exact=True, threads=1).keys.tolist()
    )


def _hnswlib(vectors: np.ndarray) -> Callable[[np.ndarray], list[int]]:
    index = importlib.import_module("hnswlib").Index(space="cosine", dim=DIMENSIONS)
    index.init_index(max_elements=len(vectors), ef_construction=128, M=16)
    index.set_num_threads(1)
    index.add_items(vectors, np.arange(len(vectors)))
    index.set_ef(64)
    return lambda query: list(index.knn_query(query, k=SHOWN)[0][0].tolist())


def _faiss(kind: str) -> Callable[[np.ndarray], Callable[[np.ndarray], list[int]]]:
    def build(vectors: np.ndarray) -> Callable[[np.ndarray], list[int]]:
        faiss = importlib.import_module("faiss")
        faiss.omp_set_num_threads(1)
        index = faiss.index_factory(DIMENSIONS, kind, faiss.METRIC_INNER_PRODUCT)
        if not index.is_trained:
            index.train(vectors)
        index.add(vectors)
        return lambda query: list(index.search(query[None], SHOWN)[1][0].tolist())

    return build


CONTESTANTS: dict[str, Callable[[np.ndarray], Callable[[np.ndarray], list[Any]]]] = {
    "numpy, in memory": _archive,
    "numpy, float16 mapped": _mapped,
    "usearch, exact float16": _usearch_exact,
    "usearch, HNSW float16": _usearch,
    "hnswlib, HNSW": _hnswlib,
    "faiss, flat": _faiss("Flat"),
    "faiss, HNSW 32": _faiss("HNSW32"),
}


# --- With access rules and queries ---------------------------------------------------------------------------


def database(count: int, asked: int, *, wait: int) -> None:
    """Time ``similar_cases`` with ``count`` confirmed photographs, a tenth of them other clinics'."""
    from benchmarks.scratch import scratch_installation

    with scratch_installation():
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        from diagnosis.similar import services
        from diagnosis.similar.services import similar_cases

        # Random vectors are not alike.
        services.LEAST_SHOWN = -1.0
        member, images = _fill(count, asked)
        started = time.perf_counter()
        similar_cases(image=images[0], member=member)
        first = time.perf_counter() - started
        with CaptureQueriesContext(connection) as captured:
            similar_cases(image=images[0], member=member)
        time.sleep(wait)
        similar_cases(image=images[0], member=member)
        times, busy = [], time.process_time()
        for image in images:
            started = time.perf_counter()
            cases = similar_cases(image=image, member=member)
            times.append((time.perf_counter() - started) * 1000)
            assert len(cases) == SHOWN
        busy = (time.process_time() - busy) / len(images) * 1000
        p50, p95 = np.percentile(times, (50, 95))
        print(f"{connection.vendor}, {count:,} confirmed photographs of {count // 4:,} lesions")
        print(f"first search of a process (fills its archive): {first:.2f} s, {_memory():.0f} MB in all")
        print(f"every other search, rules and queries included: p50 {p50:.1f} ms, p95 {p95:.1f} ms, ", end="")
        print(f"{len(captured)} queries; processor time {busy:.1f} ms, whatever else the machine is doing")


def _fill(count: int, asked: int) -> tuple[Any, list[Any]]:
    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage

    from diagnosis.images.models import Image
    from diagnosis.similar.embeddings import current_space
    from diagnosis.similar.models import ImageEmbedding
    from patients.models import Consent, Lesion, Patient, Role, Visit
    from tests import factories

    each = 4
    home = factories.MemberFactory(role=Role.DERMATOLOGIST)
    away = factories.MemberFactory(role=Role.DERMATOLOGIST)
    name = default_storage.save("images/one.jpg", ContentFile(b"\xff" * 12_000))
    members = [away if n % 10 == 0 else home for n in range(count // each)]
    patients = [
        Patient(clinic=by.clinic, record_number=f"R{n}", family_name=f"F{n}", birth_date="1960-01-01", created_by=by)
        for n, by in enumerate(members)
    ]
    Patient.objects.bulk_create(patients, batch_size=5000)
    shared = [
        Consent(patient=patient, purpose="sharing", number=1, decision="given", method="verbal", recorded_by=by)
        for patient, by in zip(patients, members, strict=True)
        if by is away
    ]
    Consent.objects.bulk_create(shared, batch_size=5000)
    visits = [Visit(patient=p, clinician=by, complaint="A mole") for p, by in zip(patients, members, strict=True)]
    lesions = [
        Lesion(patient=p, number=1, body_site="back", created_by=by) for p, by in zip(patients, members, strict=True)
    ]
    Visit.objects.bulk_create(visits, batch_size=5000)
    Lesion.objects.bulk_create(lesions, batch_size=5000)
    images = [
        Image(
            visit=visits[n // each],
            lesion=lesions[n // each],
            uploaded_by=members[n // each],
            original=name,
            original_name="one.jpg",
            media_type="image/jpeg",
            sha256=uuid.uuid4().hex * 2,
            width=600,
            height=450,
            display=name,
            thumbnail=name,
            verdict="accepted",
        )
        for n in range(len(patients) * each)
    ]
    Image.objects.bulk_create(images, batch_size=5000)
    settle((image, image.uploaded_by) for image in images)
    vectors, space = _clustered(len(images), seed=0).astype("<f2"), current_space()
    ImageEmbedding.objects.bulk_create(
        (
            ImageEmbedding(image=image, space_sha256=space, vector=vector.tobytes())
            for image, vector in zip(images, vectors, strict=True)
        ),
        batch_size=5000,
    )
    own = [image for image in images if image.uploaded_by is home]
    return home, own[:: max(1, len(own) // asked)][:asked]


# --- Precision -----------------------------------------------------------------------------------------------


def precision(data: Path, features: Path, folds: tuple[int, ...]) -> None:
    """Print how many of the five nearest confirmed cases, one per lesion, have the photograph's own class.

    The archive is the training folds. The head was fitted on them, so in its hidden layer they lie closer to their
    own class than a clinic's photographs will: the figure is an upper bound for a new clinic.
    """
    from mlmodel.datasets.dataset import TRAIN_FOLDS, read_dataset
    from mlmodel.datasets.feature_cache import cached_features
    from mlmodel.network.analyser import get_analyser
    from mlmodel.network.neighbours import Projection

    analyser = get_analyser()
    dataset = read_dataset(data / "ham10000")
    cache = features / analyser.backbone_sha256[:16] / "ham10000"
    stored_features = cached_features(dataset.paths, engine=analyser.engine, cache=cache)
    archive, queries = dataset.rows(TRAIN_FOLDS), dataset.rows(folds)
    labels, lesions = dataset.labels, np.unique(dataset.lesions, return_inverse=True)[1]
    share = np.bincount(labels[archive]) / archive.sum()
    print(f"{queries.sum()} photographs of folds {folds}, {archive.sum()} confirmed of the training folds")
    print(f"{'':40}{'macro precision at 5':>22}{'over photographs':>18}")
    chance = float(np.mean([share[label] for label in labels[queries]]))
    print(f"{'chance':40}{1 / len(share):>22.3f}{chance:>18.3f}")
    spaces: dict[str, np.ndarray] = {
        "features as they are": unit(stored_features.astype(np.float32)),
        f"features, reduced to {DIMENSIONS}": Projection(weights=None, bias=None).embed(stored_features),
        f"as served, {DIMENSIONS} dimensions": Projection.load(analyser.release.head).embed(stored_features),
    }
    for name, vectors in spaces.items():
        hits, cosines = _hits(vectors, archive, queries, labels, lesions)
        macro = np.mean([hits[labels[queries] == label].mean() for label in np.unique(labels[queries])])
        print(f"{name:40}{macro:>22.3f}{hits.mean():>18.3f}", flush=True)
    print("as served, by cosine: the share of the neighbours, and how many are of the same class")
    bounds = (-1.0, 0.65, 0.75, 0.80, 0.85, 0.90, 0.93, 0.96, 1.01)
    for low, high in pairwise(bounds):
        is_between = (cosines >= low) & (cosines < high)
        if is_between.any():
            print(f"{low:5.2f} to {high:.2f}{is_between.mean():>8.3f}{hits[is_between].mean():>8.3f}")


def _hits(
    vectors: np.ndarray, archive: np.ndarray, asked: np.ndarray, labels: np.ndarray, lesions: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return whether each neighbour has the photograph's class, and its cosine, both (photographs, ``SHOWN``)."""
    confirmed: Archive[int, int] = Archive(vectors.shape[1])
    rows = np.flatnonzero(archive).tolist()
    confirmed.put(rows, lesions[rows].tolist(), vectors[rows])
    hits, cosines = [], []
    for row in np.flatnonzero(asked).tolist():
        nearest = confirmed.nearest(vectors[row], count=SHOWN, without=[int(lesions[row])])
        hits.append([labels[key] == labels[row] for key, _similarity in nearest])
        cosines.append([similarity for _key, similarity in nearest])
    return np.array(hits), np.array(cosines)


if __name__ == "__main__":
    run(main)
