"""The API's description, and a viewer for it that asks nobody else for anything."""

from __future__ import annotations

from importlib import resources

import flask

from api.description import as_yaml
from byline.errors import NotFound

# Swagger UI lies in the flask-swagger-ui wheel; only these of its files are ever served.
ASSETS = {
    "swagger-ui.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "favicon-32x32.png": "image/png",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Byline: the API</title>
<link rel="icon" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<noscript><p>The viewer needs scripts; <a href="/openapi.yaml">openapi.yaml</a> does not.</p></noscript>
<div id="viewer"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
START = """SwaggerUIBundle({
  url: "/openapi.yaml", dom_id: "#viewer", deepLinking: true, validatorUrl: null,
  supportedSubmitMethods: ["get"],
  presets: [SwaggerUIBundle.presets.apis]
});
"""

blueprint = flask.Blueprint("docs", __name__)


@blueprint.get("/openapi.yaml")
def description() -> flask.Response:
    """OpenAPI 3.1, as the app says it."""
    app = flask.current_app
    text = app.extensions.setdefault("byline-openapi", None) or as_yaml(app)
    app.extensions["byline-openapi"] = text
    return flask.Response(text, content_type="application/yaml; charset=utf-8")


@blueprint.get("/docs")
def viewer() -> flask.Response:
    """The viewer's page."""
    return _local(PAGE, "text/html; charset=utf-8")


@blueprint.get("/docs/start.js")
def start() -> flask.Response:
    """What starts the viewer (no inline script under this policy)."""
    return _local(START, "text/javascript; charset=utf-8")


@blueprint.get("/docs/<string(maxlength=40):name>")
def asset(name: str) -> flask.Response:
    """A file of the viewer."""
    if name not in ASSETS:
        raise NotFound("no-such-file", "The viewer has no such file.")
    data = resources.files("flask_swagger_ui").joinpath("dist", name).read_bytes()
    return _local(data, ASSETS[name])


def _local(data: str | bytes, content_type: str) -> flask.Response:
    return flask.Response(data, content_type=content_type, headers={"Content-Security-Policy": POLICY})
