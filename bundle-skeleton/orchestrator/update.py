"""Passes /api/v1/update on to the device's own update service, and adds no rights: a change needs the service's token.

In place of the guide's src/orchestrator/api/update.py: app.include_router(update.router, prefix="/api/v1/update").
The container needs the folder of the socket: /run/homie/api, see docker-compose.yml.
"""

import os

import httpx
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import StreamingResponse

SOCKET = os.environ.get("HOMIE_UPDATE_SOCKET", "/run/homie/api/update.sock")
PASSED_ON = ("accept", "authorization", "content-type", "prefer")
PASSED_BACK = ("allow", "cache-control", "content-type", "location", "retry-after", "www-authenticate")
# An install answers when it has ended.
LONGEST_SECONDS = 3700

router = APIRouter()


@router.api_route("/{path:path}", methods=["GET", "POST"])
async def pass_on(path: str, request: Request):
    # A URL is made without them: they would lead to what is not below this path.
    if {".", ".."} & set(path.split("/")):
        raise HTTPException(404, "There is no such path")
    client = httpx.AsyncClient(
        transport=httpx.AsyncHTTPTransport(uds=SOCKET), timeout=httpx.Timeout(10, read=LONGEST_SECONDS)
    )
    url = httpx.URL("http://localhost", path=f"/api/v1/update/{path}", query=request.url.query.encode())
    headers = [(name, request.headers[name]) for name in PASSED_ON if name in request.headers]
    body = {"content": request.stream()} if request.method == "POST" else {}
    try:
        answer = await client.send(client.build_request(request.method, url, headers=headers, **body), stream=True)
    except httpx.TransportError as error:
        await client.aclose()
        raise HTTPException(503, f"The update service does not answer: {error}") from error

    async def pieces():
        try:
            async for piece in answer.aiter_raw():
                yield piece
        finally:
            await answer.aclose()
            await client.aclose()

    back = {name: answer.headers[name] for name in PASSED_BACK if name in answer.headers}
    return StreamingResponse(pieces(), answer.status_code, back)
