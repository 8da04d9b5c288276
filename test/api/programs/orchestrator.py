"""The orchestrator of the tests: FastAPI, with the drop-in of bundle-skeleton/orchestrator where the guide has its own."""

import update
from fastapi import FastAPI

app = FastAPI()
app.include_router(update.router, prefix="/api/v1/update")


@app.get("/health")
async def health():
    return {"status": "healthy"}
