/**
 * Loaded before each test file. `--no-orphans` ends what a file has left; Bun hands it on to every child that is Bun, too,
 * by this variable. A program of ours would then end what it starts to stay: a device that is kept, a job of the API.
 */
delete process.env['BUN_FEATURE_FLAG_NO_ORPHANS'];
