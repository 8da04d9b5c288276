/** The embedded device's orchestrator: `health-server.ts PORT` answers GET /health, and nothing else. */
Bun.serve({
  hostname: '127.0.0.1',
  port: Number(process.argv[2]),
  fetch: (request) =>
    new URL(request.url).pathname === '/health'
      ? Response.json({ status: 'healthy' })
      : new Response('not found', { status: 404 }),
});
