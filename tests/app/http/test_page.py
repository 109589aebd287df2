"""The page's files and what comes with every response."""

import re

import pytest

from app.http.admission.security_headers import HEADERS
from app.http.page import FOLDER

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


async def test_a_browser_gets_the_page_at_the_root(client):
    response = await client.get("/", headers=BROWSER)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["vary"] == "Accept"
    assert "<title>Loccit</title>" in response.text


@pytest.mark.parametrize("accept", ["*/*", "application/json", "", "text/*"])
async def test_other_clients_get_json_at_the_root(client, accept):
    response = await client.get("/", headers={"accept": accept})
    assert response.json()["name"] == "Loccit"


@pytest.mark.parametrize("file", sorted(FOLDER.iterdir()), ids=lambda file: file.name)
async def test_every_file_is_served_under_its_type(client, file):
    response = await client.get(f"/web/{file.name}")
    assert response.content == file.read_bytes()
    kinds = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html"}
    assert response.headers["content-type"] == f"{kinds[file.suffix]}; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    again = await client.get(f"/web/{file.name}", headers={"if-none-match": response.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("path", ["/web/nope.js", "/web/", "/web/../page.py", "/web/%2e%2e/page.py"])
async def test_nothing_else_is_served(client, path):
    response = await client.get(path)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


def test_the_page_names_only_files_that_are_there_and_none_of_elsewhere():
    named = set()
    for file in FOLDER.iterdir():
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", text), file
        assert not re.search(r"<[^>]+ style=|<style|\son\w+=", text), file
        named |= set(re.findall(r'(?:src|href)="web/([^"]+)"', text)) | set(
            re.findall(r'from "\./([^"]+)"', text)
        )
    assert named == {file.name for file in FOLDER.iterdir()} - {"index.html"}


@pytest.mark.parametrize("path", ["/", "/web/main.js", "/health/live", "/documents/nobody", "/nothing"])
async def test_every_response_tells_browsers_what_not_to_do(client, path):
    response = await client.get(path, headers=BROWSER)
    assert {name: response.headers[name] for name in HEADERS} == HEADERS
    policy = response.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'")
