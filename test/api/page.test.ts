import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { project } from '../../shared/packaging/project.ts';
import { writeProgress } from '../../shared/update/install/progress.ts';
import { advance, type Transaction } from '../../shared/update/transaction/transaction.ts';
import { closeTransaction } from '../support/scene/by-hand.ts';
import { statusJson } from '../support/scene/rauc-status.ts';
import { transactionAt } from '../support/scene/transactions.ts';
import { ApiStage, type Service } from '../support/servers/api-stage.ts';
import { Browser } from '../support/servers/browser.ts';

/** The status page in a real browser; test/rig/status-page.test.ts has the real RAUC behind it. */

const html = readFileSync(join(project.root, 'shared/api/page.html'), 'utf8');
const markup = '<img src=x onerror="document.title=\'broken\'">';

let stage: ApiStage;
let service: Service;
let browser: Browser;
let page: Page;
beforeAll(async () => {
  stage = new ApiStage();
  closeTransaction(stage.places, rolledBack());
  closeTransaction(stage.places, {
    ...transactionAt('committed', { slot: 'rootfs.0', version: '1.0.1' }),
    id: 'second',
  });
  service = await stage.serve();
  browser = await Browser.open();
  page = browser.page;
  await page.goto(service.url);
  await shown('#line', 'Live');
}, 60_000);
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await stage[Symbol.asyncDispose]();
});

function rolledBack(): Transaction {
  const moment = { at: new Date('2026-02-03T04:05:06Z'), bootId: 'b' };
  const trial = transactionAt('trial', { version: '0.9.5' });
  return { ...advance(trial, 'rolled-back', moment, `it did not answer ${markup}`), id: 'first' };
}

async function shown(selector: string, text: string | RegExp): Promise<void> {
  await page.locator(selector).filter({ hasText: text, visible: true }).first().waitFor();
}

/** Opens the dialog, as the keyboard does. */
async function press(button: string): Promise<void> {
  await page.focus(`#${button}`);
  await page.keyboard.press('Enter');
  await shown('#ask h2', '?');
}

function refused(status: number): string {
  return expect.stringContaining(`the server responded with a status of ${status}`);
}

describe('the status page', () => {
  test('shows the slots, what runs, and the history with its reasons', async () => {
    await shown('#headline', 'Version 1.0.0 is running');
    await shown('article.slot.runs', /Slot A.*1\.0\.0.*running.*starts next.*good/s);
    await shown('article.slot:not(.runs)', /Slot B.*0\.9\.0.*good/s);
    await shown('article.data', /across updates/);
    const items = await page.locator('#history li').allInnerTexts();
    expect(items.map((item) => item.split('\n')[0])).toEqual(['1.0.0 → 1.0.1', '1.0.0 → 0.9.5']);
    expect(items[0]).toContain('Committed');
    expect(items[1]).toContain('Rolled back');
  });

  test('shows what the device says as text, and never as markup', async () => {
    await shown('#history .reason', markup);
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.title()).toBe('Homie update');
  });

  test('runs no script but its own', async () => {
    // Not from the test's own world, which the policy does not bind: from the page.
    await page.locator('body').evaluate((body) => {
      const script = body.ownerDocument.createElement('script');
      script.textContent = 'document.title = "broken"';
      body.append(script);
    });
    expect(await page.title()).toBe('Homie update');
    expect(browser.takeComplaints()).toEqual([expect.stringContaining('Content Security Policy')]);
  });

  test('asks before it does anything, and lets go at Escape', async () => {
    for (const button of ['install', 'rollback']) {
      await press(button);
      expect(await page.locator('#ask').getAttribute('open')).not.toBeNull();
      await page.keyboard.press('Escape');
      await page.locator('#ask').waitFor({ state: 'hidden' });
      expect(await page.locator(`#${button}`).evaluate((one) => one.matches(':focus'))).toBe(true);
    }
    expect(stage.calls().filter((call) => call.startsWith('systemd-run'))).toEqual([]);
  });

  test('asks for the token again when it is wrong, and for the file when it is missing', async () => {
    await press('install');
    await page.keyboard.type('other.raucb');
    await page.keyboard.press('Tab');
    await page.keyboard.type('not-the-right-token');
    await page.keyboard.press('Enter');
    await shown('#ask-problem', 'The token is wrong');
    await page.fill('#token', stage.token);
    await page.keyboard.press('Enter');
    await shown('#ask-problem', 'There is no such bundle in the bundle folder');
    await page.keyboard.press('Escape');
    // Both refusals are the browser's own complaints, too.
    expect(browser.takeComplaints()).toEqual([refused(401), refused(404)]);
  });

  test('shows the progress as it comes, tells it to a screen reader, and how it ended', async () => {
    stage.holdInstall();
    await press('install');
    await page.keyboard.type('new.raucb');
    if (await page.locator('#token').isVisible()) await page.fill('#token', stage.token);
    await page.keyboard.press('Enter');
    await shown('#headline', /^Installing/);
    expect(await page.locator('#install').isDisabled()).toBe(true);
    const tell = (percent: number): void =>
      writeProgress(stage.places, {
        format: 1,
        pid: 1,
        startedAt: '2026-01-02T03:04:05Z',
        source: 'new.raucb',
        version: '1.1.0',
        phase: 'installing',
        percent,
        message: 'Copying image to rootfs.1',
        bytes: percent * 1024 * 1024,
        totalBytes: 100 * 1024 * 1024,
        bytesPerSecond: 2 * 1024 * 1024,
        secondsLeft: 200,
      });
    // What RAUC says, through update.sh; it says no more until it is let.
    await shown('#percent', '20 %');
    tell(42);
    await shown('#percent', '42 %');
    await shown('#rate', '42.0 MiB of 100 MiB · 2.0 MiB/s · 3 min left');
    await shown('article.slot:not(.runs)', /1\.1\.0.*being written/s);
    expect(await page.locator('#bar').getAttribute('value')).toBe('42');
    expect(await page.locator('[aria-live=polite]').textContent()).toBe('Installing, 40 percent');
    await browser.picture('page-progress-phone', 'phone', 'dark');
    tell(47);
    await shown('#percent', '47 %');
    expect(await page.locator('[aria-live=polite]').textContent()).toBe('Installing, 40 percent');
    stage.remove('run/progress.json');
    stage.letInstall();
    await shown('#notes', /The device reboots at .* Cancel keeps the version that runs/);
  });

  test('cancels, and shows why it could not', async () => {
    stage.cancelEndsWith(21, 'Cannot cancel the install any more: RAUC writes the slot');
    await press('cancel');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await shown('#ask-problem', 'Cannot cancel the install any more');
    stage.cancelEndsWith(0, 'The reboot is cancelled');
    await page.keyboard.press('Enter');
    await page.locator('#ask').waitFor({ state: 'hidden' });
    expect(browser.takeComplaints()).toEqual([refused(503)]);
  });

  test('rolls back, and says when the device goes back', async () => {
    await press('rollback');
    await page.click('#ask-yes');
    await shown('#headline', 'Going back at the next reboot');
    expect(stage.calls().findLast((call) => call.startsWith('systemd-run'))).toEndWith(
      ' update.sh rollback --yes',
    );
  });

  test('reads history and slots again when the service is back, and offers no rollback to a bad slot', async () => {
    stage.configure({ api_listen: new URL(service.url).host });
    await service.stop();
    await shown('#line', 'Reconnecting');
    stage.remove('run/job.json');
    stage.write('rauc-status.json', statusJson({ booted: 'rootfs.0', bad: ['rootfs.1'] }));
    service = await stage.serve();
    await shown('#line', 'Live');
    await shown('article.slot:not(.runs)', /bad/);
    expect(await page.locator('#rollback').isDisabled()).toBe(true);
    expect(browser.takeComplaints()).toEqual([]);
  });

  test('fits a phone: nothing is wider than the screen, and what is pressed is large enough', async () => {
    await page.setViewportSize({ width: 320, height: 640 });
    const width = await page.locator('html').evaluate((root) => root.scrollWidth);
    expect(width).toBeLessThanOrEqual(320);
    for (const button of await page.locator('main button:visible').all()) {
      const box = await button.boundingBox();
      expect(box?.height).toBeGreaterThanOrEqual(44);
    }
  });
});

describe('page.html', () => {
  test('is one file, and its policy names its own script and style', async () => {
    expect(html).not.toMatch(/\b(?:src|href)="(?!data:)/);
    const policy = (await service.get('/')).headers.get('content-security-policy') ?? '';
    for (const tag of ['script', 'style']) {
      const content = new RegExp(`<${tag}>([\\s\\S]*)</${tag}>`).exec(html)?.[1] ?? '';
      expect(policy).toContain(`'sha256-${createHash('sha256').update(content).digest('base64')}'`);
    }
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
  });

  const schemes = [...html.matchAll(/:root \{([^}]*)\}/g)].map(
    ([, text = '']) =>
      new Map(
        [...text.matchAll(/--([\w-]+): (#[0-9a-f]{3,6})\b/g)].map(([, name = '', value = '']) => [
          name,
          value,
        ]),
      ),
  );

  test.each([
    ['ink', 'ground'],
    ['ink', 'card'],
    ['ink', 'sunk'],
    ['ink', 'calm-soft'],
    ['ink', 'warn-soft'],
    ['ink', 'bad-soft'],
    ['soft', 'ground'],
    ['soft', 'card'],
    ['soft', 'sunk'],
    ['calm', 'calm-soft'],
    ['warn', 'warn-soft'],
    ['bad', 'bad-soft'],
    ['on-calm', 'calm'],
    ['card', 'bad'],
  ])('%s on %s can be read by day and by night (WCAG 2.2, 1.4.3)', (text, ground) => {
    expect(schemes.length).toBe(2);
    for (const colours of schemes)
      expect(contrast(colours.get(text) ?? '', colours.get(ground) ?? '')).toBeGreaterThanOrEqual(4.5);
  });
});

function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: string): number {
  const short = /^#(.)(.)(.)$/.exec(colour);
  const [, red = '', green = '', blue = ''] =
    short?.map((digit) => digit + digit) ?? /^#(..)(..)(..)$/.exec(colour) ?? [];
  const linear = (hex: string): number => {
    const value = Number.parseInt(hex, 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}
