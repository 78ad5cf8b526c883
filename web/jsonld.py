"""A dataset as schema.org describes one, for search engines and catalogues. Source: https://schema.org/Dataset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def dataset(found: Mapping[str, Any], *, registry: str) -> dict[str, Any]:
    """The JSON-LD of a dataset's page; `found` as `queries.dataset` gives it, `registry` the base of our addresses."""
    address = f"{registry}/datasets/{found['dataset']}"
    card: dict[str, Any] = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "@id": address,
        "url": address,
        "name": found["title"] or found["dataset"],
        "description": found["description"] or f"{found['dataset']}, as its publisher registered it.",
        "version": found["version"],
        "identifier": f"sha256:{found['digest']}",
        "datePublished": found["published_at"].date().isoformat(),
        "license": [_licence(one) for one in sorted(found["licenses"])],
        "sdPublisher": {"@type": "Organization", "name": found["publisher_name"]},
        "includedInDataCatalog": {"@type": "DataCatalog", "name": "Byline", "url": f"{registry}/"},
        "isBasedOn": [one["dataset"] for one in found["derived_from"]],
        "distribution": [
            {"@type": "DataDownload", "name": one["name"], "sha256": one["sha256"]} for one in found["files"]
        ],
        "subjectOf": {
            "@type": "DataDownload",
            "name": "Croissant",
            "encodingFormat": "application/ld+json",
            "contentUrl": f"{registry}/v1/datasets/{found['dataset']}/croissant",
        },
    }
    if found["role"] == "holder":
        card["publisher"] = card["sdPublisher"]
    return {name: value for name, value in card.items() if value not in ([], None)}


def _licence(text: str) -> str:
    spdx = text and " " not in text and not text.startswith("LicenseRef-")
    return f"https://spdx.org/licenses/{text}" if spdx else text
