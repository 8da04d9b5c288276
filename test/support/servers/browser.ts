import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { project } from '../../../shared/packaging/project.ts';

/** A Chromium without a window, with a profile of its own; what a page complains of is kept. */
export class Browser implements AsyncDisposable {
  readonly #profile: string;
  readonly #context: BrowserContext;
  readonly page: Page;
  readonly complaints: string[] = [];

  private constructor(profile: string, context: BrowserContext, page: Page) {
    this.#profile = profile;
    this.#context = context;
    this.page = page;
    page.setDefaultTimeout(15_000);
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('console', (message) => {
      // A service that is away is told by the page itself.
      const isLine = /ERR_CONNECTION|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY_RESPONSE/.test(message.text());
      if (message.type() === 'error' && !isLine) this.complaints.push(message.text());
    });
  }

  static async open(): Promise<Browser> {
    const profile = mkdtempSync(join(tmpdir(), 'homie-chromium-'));
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: chromiumHere(),
      headless: true,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    return new Browser(profile, context, await context.newPage());
  }

  /** What it has complained of since this was asked last. */
  takeComplaints(): string[] {
    return this.complaints.splice(0);
  }

  /** `reports/<name>.png`, an artefact of the run: phone, or desktop, by day or by night. */
  async picture(name: string, size: 'phone' | 'desktop', scheme: 'light' | 'dark'): Promise<void> {
    mkdirSync(project.reports, { recursive: true });
    await this.page.setViewportSize(
      size === 'phone' ? { width: 390, height: 844 } : { width: 1100, height: 900 },
    );
    await this.page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
    await this.page.screenshot({ path: join(project.reports, `${name}.png`), fullPage: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
    rmSync(this.#profile, { recursive: true, force: true });
  }
}

/** Debian's, or another that is as good. */
function chromiumHere(): string {
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  const path = names.map((name) => Bun.which(name)).find((found) => found !== null);
  if (path === undefined) throw new Error(`no ${names.join(', no ')} on this machine`);
  return path;
}
