const mebibyte = 1024 * 1024;
const worthwhileBytes = 4 * mebibyte;
const worthwhileMs = 30;
/** On a fast line more comes between two collections: each takes about 5 ms. */
const mostBytes = 8 * mebibyte;

/**
 * bun counts what it has received only loosely as memory in use: left to itself it lets a fetch grow to 115 MiB, with
 * this it stays below 90 (bun 1.4.5, x64).
 */
export class Litter {
  #bytes = 0;
  #collectedMs = performance.now();

  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < worthwhileBytes) return;
    if (this.#bytes < mostBytes && performance.now() - this.#collectedMs < worthwhileMs) return;
    Bun.gc(true);
    this.#bytes = 0;
    this.#collectedMs = performance.now();
  }
}
