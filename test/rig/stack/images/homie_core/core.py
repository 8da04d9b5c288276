"""Answers GET /health: 200 when the database answers and has the schema that this version understands, else 503.

How it misbehaves is said by /config/behaviour, or by HOMIE_BEHAVIOUR where there is no such file:
never-healthy, healthy-after SECONDS, crash-after SECONDS, crash-at-start.
"""

import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg2

started = time.monotonic()


def read_behaviour():
    try:
        with open("/config/behaviour") as file:
            text = file.read()
    except FileNotFoundError:
        text = os.environ.get("HOMIE_BEHAVIOUR", "")
    word, _, seconds = text.strip().partition(" ")
    if word not in ("", "never-healthy", "healthy-after", "crash-after", "crash-at-start"):
        sys.exit(f'Cannot behave as "{word}": it is not known')
    return word, float(seconds or 0)


def read_schema():
    connection = psycopg2.connect(os.environ["DATABASE_URL"], connect_timeout=2)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT version_num FROM alembic_version")
            return cursor.fetchone()[0]
    finally:
        connection.close()


def find_fault():
    word, seconds = behaviour
    if word == "never-healthy" or (word == "healthy-after" and time.monotonic() - started < seconds):
        return "told to be unhealthy"
    try:
        schema = read_schema()
    except Exception as error:
        return f"the database does not answer: {str(error).splitlines()[0]}"
    understood = os.environ["UNDERSTOOD_SCHEMA"]
    return None if schema == understood else f"schema {schema} is not {understood}"


class Health(BaseHTTPRequestHandler):
    def do_GET(self):
        fault = find_fault() if self.path == "/health" else "not found"
        status = 200 if fault is None else 503 if self.path == "/health" else 404
        body = json.dumps({"status": fault or "healthy"}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


behaviour = read_behaviour()
if behaviour[0] == "crash-at-start":
    sys.exit("told to crash")
if behaviour[0] == "crash-after":
    threading.Timer(behaviour[1], lambda: os._exit(3)).start()
ThreadingHTTPServer(("0.0.0.0", 8080), Health).serve_forever()
