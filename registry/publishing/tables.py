"""Out of core, in DuckDB: rows sorted by maker into the record index, and from it keys, counts and links.

External access is off and the configuration locked before the first row is seen: whatever a hostile extract
made of this process, it reads and writes one folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from byline.formats.selectors import contributor_kind
from registry.publishing.sorting import K, write_sorted
from registry.publishing.stretches import Stretch
from registry.publishing.task import INDEX, ITEMS, LINKS, MAKERS, Task

MOST_NAMES, MOST_LICENCES, MOST_TITLES = 50, 30, 12
GATHERED = 500_000  # entries whose makers are gathered at once

_KEYS = f"""
    SELECT k, position, photo IS NOT NULL AS bridges FROM entries WHERE k IS NOT NULL
    UNION ALL
    SELECT {K.format("'photo2|' || one")}, position, false
    FROM (SELECT unnest(photos) AS one, position FROM entries WHERE photos IS NOT NULL)
    UNION ALL
    SELECT {K.format("'sha256|' || sha256")}, position, false FROM entries WHERE sha256 IS NOT NULL
"""

# Of rows that are digests: the hosts they lie at, a space between them.
_HOSTS = f"""
    UNION ALL
    SELECT {K.format("'photo2|' || one")}, position, false
    FROM (SELECT unnest(string_split(landing_url, ' ')) AS one, position FROM entries WHERE landing_url IS NOT NULL)
"""

# A maker's run and what is shown of it. Whole lists would grow with the rows, so each is cut where it is made.
_RUNS = f"""
    WITH held AS MATERIALIZED (
        SELECT contributor, position, title[:200] AS title, license, license_raw[:100] AS license_raw, creator_name
        FROM entries WHERE {{}}
    ), runs AS (
        SELECT contributor, min(position) AS start, count(*) AS entries,
               arg_min(title, position, {MOST_TITLES}) FILTER (trim(title) <> '') AS titles
        FROM held GROUP BY contributor
    ), licences AS (
        SELECT contributor, arg_max({{'text': text, 'records': records}}, records, {MOST_LICENCES}) AS licences
        FROM (
            SELECT contributor, coalesce(license, license_raw, 'not-stated') AS text, count(*) AS records
            FROM held GROUP BY ALL
        ) GROUP BY contributor
    ), names AS (
        SELECT contributor, arg_max({{'text': text, 'records': records}}, records, {MOST_NAMES}) AS names
        FROM (
            SELECT contributor, trim(creator_name)[:500] AS text, count(*) AS records
            FROM held
            WHERE trim(creator_name) <> ''
              AND NOT regexp_full_match(trim(creator_name), '[A-Za-z][A-Za-z0-9+.-]*://\\S*')
            GROUP BY ALL
        ) GROUP BY contributor
    )
    SELECT runs.contributor, start, entries, titles, licences, names
    FROM runs LEFT JOIN licences USING (contributor) LEFT JOIN names USING (contributor) ORDER BY start
"""

_TOGETHER = """
    SELECT list(contributor) FROM entries WHERE contributor IS NOT NULL
    GROUP BY file, row HAVING count(*) > 1
"""

_PHOTO_LINKS = """
    SELECT DISTINCT one.contributor AS alias, two.contributor AS number
    FROM entries AS one JOIN handles AS h1 ON h1.contributor = one.contributor AND h1.kind = 'alias'
    JOIN entries AS two ON two.photo = one.photo
    JOIN handles AS h2 ON h2.contributor = two.contributor AND h2.kind = 'number' AND h2.platform = h1.platform
"""

Pair = tuple[str, str]
_HANDLES = pa.schema([("contributor", pa.string()), ("kind", pa.string()), ("platform", pa.string())])
_LINKS = pa.schema(
    [("alias", pa.string()), ("number", pa.string()), ("how", pa.string()), ("records", pa.int64())]
)


# Found by DuckDB in the statistics of sorted files: it groups by each row group apart, and plans for seconds what takes 0.1 s.
_HARMFUL = "partitioned_execution"


def open_duckdb(task: Task) -> duckdb.DuckDBPyConnection:
    """A connection that reaches one folder, within the task's memory and threads, and cannot be told otherwise."""
    connection = duckdb.connect(config={"threads": str(task.threads)})
    for setting in (
        f"allowed_directories = [{quoted(task.folder)}]",
        f"temp_directory = {quoted(str(task.path('spill')))}",
        f"memory_limit = '{task.memory // 2 >> 20}MiB'",
        "autoinstall_known_extensions = false",
        "autoload_known_extensions = false",
        "preserve_insertion_order = false",
        "parquet_metadata_cache = true",  # makers are asked for in hundreds of stretches, of a footer of some megabytes
        f"disabled_optimizers = {quoted(_HARMFUL)}",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        connection.execute(f"SET {setting}")
    return connection


def write_index(connection: duckdb.DuckDBPyConnection, task: Task, rows: Iterator[pa.RecordBatch]) -> int:
    """Sort all rows by maker into the record index; how many entries it has."""
    write_sorted(connection, task, rows)
    return open_index(connection, task)


def open_index(connection: duckdb.DuckDBPyConnection, task: Task) -> int:
    """Have the record index in the folder read as `entries`; how many it has."""
    connection.execute(
        "CREATE VIEW entries AS SELECT * EXCLUDE file_row_number, file_row_number::BIGINT AS position "
        f"FROM read_parquet({quoted(str(task.path(INDEX)))}, file_row_number = true)"
    )
    counted = connection.execute("SELECT count(*) FROM entries").fetchone()
    return int(counted[0]) if counted else 0


def shown_together(connection: duckdb.DuckDBPyConnection) -> Iterator[list[str]]:
    """The makers of each row that has several, some 10,000 rows at a time."""
    rows = connection.execute(_TOGETHER)
    while found := rows.fetchmany(10_000):
        yield from (makers for (makers,) in found)


def unattributed(connection: duckdb.DuckDBPyConnection) -> int:
    """Rows without a maker."""
    counted = connection.execute("SELECT count(*) FROM entries WHERE contributor IS NULL").fetchone()
    return int(counted[0]) if counted else 0


def write_items(connection: duckdb.DuckDBPyConnection, task: Task) -> None:
    """Item keys in key order, with the position each stands at; `bridges` where the key is a photo's."""
    query = _KEYS + (_HOSTS if task.withheld else "") + "ORDER BY 1, 2"
    _copy(connection, query, task, ITEMS, "COMPRESSION zstd")


def write_makers(connection: duckdb.DuckDBPyConnection, task: Task) -> int:
    """Each maker's run in the index, with samples, licences and names; how many makers there are."""
    count, writer = 0, None
    for stretch in _stretches(connection):
        where, values = stretch.where()
        found = connection.sql(_RUNS.replace("{}", where), params=values)
        makers = cast("pa.Table", found.to_arrow_table())
        writer = writer or pq.ParquetWriter(task.path(MAKERS), makers.schema, compression="zstd")
        writer.write_table(makers)
        count += makers.num_rows
    if writer:
        writer.close()
    return count


def _stretches(connection: duckdb.DuckDBPyConnection) -> list[Stretch]:
    """All makers, so many at once that what is gathered of them fits into memory."""
    marks = connection.execute(
        f"SELECT DISTINCT contributor FROM entries WHERE position % {GATHERED} = 0 AND contributor IS NOT NULL ORDER BY 1"
    ).fetchall()
    lows = [None, *(maker for (maker,) in marks[1:])]
    return [Stretch(low, above=False, high=high) for low, high in zip(lows, [*lows[1:], None], strict=True)]


def write_links(connection: duckdb.DuckDBPyConnection, task: Task, shown: Mapping[Pair, int]) -> None:
    """An alias and a number shown by so many records, or by two attributions of one photo in this extract."""
    by_photo = _linked_by_photo(connection, task) - set(shown)
    links = [(*pair, "record", shown[pair]) for pair in sorted(shown)]
    links += [(*pair, "photo", 0) for pair in sorted(by_photo)]
    columns = [pa.array([link[at] for link in links], field.type) for at, field in enumerate(_LINKS)]
    connection.register("links", pa.Table.from_arrays(columns, schema=_LINKS))
    _copy(connection, "SELECT * FROM links", task, LINKS, "COMPRESSION zstd")


def _linked_by_photo(connection: duckdb.DuckDBPyConnection, task: Task) -> set[Pair]:
    makers = connection.execute(f"SELECT contributor FROM read_parquet({quoted(str(task.path(MAKERS)))})")
    handles: list[tuple[str, str, str]] = []
    while rows := makers.fetchmany(10_000):
        handles += [
            (key, kind, platform or "") for (key,) in rows for kind, platform in (contributor_kind(key),)
        ]
    platforms = [
        {platform for _, kind, platform in handles if kind == wanted} for wanted in ("alias", "number")
    ]
    if not platforms[0] & platforms[1]:
        return set()  # the usual case: a list knows its makers in one way
    columns = [pa.array([handle[at] for handle in handles], pa.string()) for at in range(3)]
    connection.register("handles", pa.Table.from_arrays(columns, schema=_HANDLES))
    return set(connection.execute(_PHOTO_LINKS).fetchall())


def quoted(text: str) -> str:
    """A text as SQL says it."""
    return "'" + text.replace("'", "''") + "'"


def _copy(connection: duckdb.DuckDBPyConnection, query: str, task: Task, name: str, options: str) -> None:
    connection.execute(f"COPY ({query}) TO {quoted(str(task.path(name)))} (FORMAT parquet, {options})")
