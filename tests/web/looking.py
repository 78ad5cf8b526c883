"""Reading pages as a browser's parser does."""

from __future__ import annotations

from selectolax.lexbor import LexborHTMLParser, LexborNode

PAGES = (
    "/",
    "/search?q=Eve",
    "/search?q=Nobody+Atall",
    "/search?q=https://www.flickr.com/photos/70000000@N01/51000000000/",
    "/search?q=70000003@N01",
    "/datasets",
    "/datasets/lab/faces",
    "/datasets/lab/faces/1.0.0",
    "/datasets/lab/crops",
    "/publishers/lab",
    "/makers/MAKER",
    "/makers/MAKER/records?dataset=lab/faces",
    "/this-is-me",
    "/this-is-me?contributor=MAKER",
    "/opt-out-a-link",
    "/opt-out-a-link?relation=pictured&dataset=lab/faces",
    "/in-a-picture",
    "/in-a-picture/letter?dataset=lab/faces",
    "/status/open",
    "/mine",
    "/for-publishers",
    "/for-training",
    "/transparency",
    "/privacy",
    "/proof/00112233445566778899aabbccddeeff",
    "/report?about=dataset:lab/faces",
    "/operator",
)
OF_PEOPLE = (
    "/search",
    "/makers",
    "/this-is-me",
    "/opt-out-a-link",
    "/status",
    "/mine",
    "/in-a-picture/letter",
    "/proof",
    "/report",
    "/operator",
)


def parse(page: str) -> LexborHTMLParser:
    """The tree."""
    return LexborHTMLParser(page)


def words(page: str) -> str:
    """What is read, spaces made one."""
    main = parse(page).css_first("main")
    assert main is not None
    return " ".join(main.text(separator=" ").split())


def all_nodes(page: str) -> list[LexborNode]:
    """Every element."""
    return parse(page).css("*")
