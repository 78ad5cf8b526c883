"""Other full-text engines over the same documents, each asked as it does best: SQLite FTS5 and tantivy.

Words that are all there for exact, folded, begun and handle; for typos and variants FTS5 asks for trigrams in any order
(best 10 by bm25), tantivy for words at a distance of one. They give ids and no more.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import tantivy

from benchmarks.people import Person

Ask = Callable[[str], Sequence[int]]
WORD = re.compile(r"\w+")
LEAST_WITH_TYPO = 4


def fts5(path: Path, found: list[Person]) -> dict[str, Ask]:
    """Two FTS5 tables, of words (accents removed) and of trigrams."""
    file = sqlite3.connect(path)
    file.execute(
        "CREATE VIRTUAL TABLE words USING fts5(text, tokenize = \"unicode61 remove_diacritics 2\", prefix = '2 3')"
    )
    file.execute("CREATE VIRTUAL TABLE trigrams USING fts5(text, tokenize = 'trigram')")
    for table in ("words", "trigrams"):
        rows = ((person.number, " | ".join((*person.names, person.nsid))) for person in found)
        file.executemany(f"INSERT INTO {table} (rowid, text) VALUES (?, ?)", rows)
        file.execute(f"INSERT INTO {table} ({table}) VALUES ('optimize')")
    file.commit()

    def ask(table: str, query: str) -> list[int]:
        statement = f"SELECT rowid FROM {table} WHERE {table} MATCH ? ORDER BY rank LIMIT 10"
        return [row[0] for row in file.execute(statement, (query,))] if query else []

    return {
        "words": lambda text: ask("words", _words(text)),
        "begun": lambda text: ask("words", _words(text) + "*"),
        "near": lambda text: ask("trigrams", _trigrams(text)),
    }


def tantivy_index(path: Path, found: list[Person]) -> dict[str, Ask]:
    """One tantivy index: words folded to ASCII where Latin letters carry accents."""
    path.mkdir()
    builder = tantivy.SchemaBuilder()
    builder.add_integer_field("number", stored=True)
    builder.add_text_field("text", tokenizer_name="folded")
    index = tantivy.Index(builder.build(), path=str(path))
    analyzer = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    index.register_tokenizer(
        "folded", analyzer.filter(tantivy.Filter.lowercase()).filter(tantivy.Filter.ascii_fold()).build()
    )
    writer = index.writer(heap_size=256 << 20, num_threads=2)
    for person in found:
        writer.add_document(tantivy.Document(number=person.number, text=[*person.names, person.nsid]))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    searcher = index.searcher()

    def ask(text: str, **how: Any) -> list[int]:
        quoted = " ".join(f'"{word}"' for word in WORD.findall(text))
        query, _ = index.parse_query_lenient(quoted, ["text"], **how)
        hits = searcher.search(query, 10, count=False).hits
        return [searcher.doc(address)["number"][0] for _, address in hits]

    def near(text: str) -> list[int]:
        words = [word.lower() for word in WORD.findall(text)]
        every = [
            tantivy.Query.fuzzy_term_query(
                index.schema, "text", word, distance=int(len(word) >= LEAST_WITH_TYPO)
            )
            for word in words
        ]
        query = tantivy.Query.boolean_query([(tantivy.Occur.Should, one) for one in every])
        return [
            searcher.doc(address)["number"][0] for _, address in searcher.search(query, 10, count=False).hits
        ]

    def begun(text: str) -> list[int]:
        *before, last = [word.lower() for word in WORD.findall(text)]
        parts = [
            (tantivy.Occur.Must, tantivy.Query.term_query(index.schema, "text", word)) for word in before
        ]
        parts.append(
            (tantivy.Occur.Must, tantivy.Query.fuzzy_term_query(index.schema, "text", last, 0, True, True))
        )
        query = tantivy.Query.boolean_query(parts)
        return [
            searcher.doc(address)["number"][0] for _, address in searcher.search(query, 10, count=False).hits
        ]

    return {"words": lambda text: ask(text, conjunction_by_default=True), "begun": begun, "near": near}


def _words(text: str) -> str:
    return " ".join(f'"{word}"' for word in WORD.findall(text))


def _trigrams(text: str) -> str:
    folded = text.lower()
    threes = {folded[at : at + 3] for at in range(len(folded) - 2)}
    return " OR ".join(sorted(f'"{three}"' for three in threes if three.isalnum()))
