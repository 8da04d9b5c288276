import { afterAll, beforeAll, describe, expect } from 'bun:test';
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import type { EmbeddedDevice } from '../../shared/packaging/device/running-device.ts';
import { hasLoopDevices } from '../support/privileges.ts';
import { suiteOf } from '../support/report/suite-report.ts';
import { Browser } from '../support/servers/browser.ts';
import { until } from '../support/until.ts';
import { architectures, scenariosFor } from './architectures.ts';
import { logOf, postActivate, startOrchestrator, statesOf, transactionOf } from './board.ts';
import { freePort } from './stack/free-port.ts';
import { bundleOf, deviceOf, openWorkshop, type Workshop } from './workshop.ts';

/** The status page in a real browser, the program as it ships behind it, and the unmodified RAUC behind that. */

const unit = 'homie-update-api';

const suite = suiteOf({ name: 'rig/status-page', least: 1 });

describe.skipIf(!hasLoopDevices).each(architectures)('the status page, as shipped (%s)', (architecture) => {
  const { scenario } = scenariosFor(architecture, suite);
  let workshop: Workshop;
  beforeAll(async () => {
    workshop = await openWorkshop(architecture);
  }, 300_000);
  afterAll(() => workshop[Symbol.dispose]());

  scenario('shows an install from the click to the reboot, and the trial after it', async () => {
    const bundle = await bundleOf(workshop, { version: '1.1.0' });
    await using device = await deviceOf(workshop);
    const url = await startApi(device, join(workshop.programs, 'update.sh'));
    mkdirSync(join(device.dataFolder, 'bundles'));
    copyFileSync(bundle, join(device.dataFolder, 'bundles', 'new.raucb'));
    using hold = holdPreInstall(device);
    await using browser = await Browser.open();
    const { page } = browser;

    await page.goto(url);
    await isShown(page, '#line', 'Live');
    await browser.picture('page-before', 'desktop', 'light');
    await startInstall(page, readFileSync(join(device.dataFolder, 'update', 'api.token'), 'utf8').trim());

    await isShown(page, '#headline', /^Installing/);
    await page.locator('progress[value]').waitFor();
    await browser.picture('page-installing-phone', 'phone', 'light');
    await restartApi(device);
    await isShown(page, '#line', 'Live');
    await isShown(page, '#headline', /^Installing/);
    await browser.picture('page-installing-dark', 'desktop', 'dark');
    hold.letGo();

    await isShown(page, '#headline', 'Version 1.1.0 is installed');
    await isShown(page, '#subline', /next reboot/);
    await browser.picture('page-installed', 'phone', 'dark');
    expect(statesOf(transactionOf(device))).toEqual(['preparing', 'installing', 'installed']);
    expect(await device.bootEnvironment()).toMatchObject({ BOOT_ORDER: 'B A' });
    expect(logOf(device)).toContain(`Began to install "${device.dataFolder}/bundles/new.raucb"`);

    // The new slot has the program, and the page finds it again by itself.
    expect((await device.reboot()).booted).toBe('B');
    device.addService(unit, [join(device.rootFolder, 'usr/lib/homie/update-hooks/update.sh'), 'serve']);
    expect((await device.run('systemctl', ['start', unit])).exitCode).toBe(0);
    await isShown(page, 'article.slot.runs .version', '1.1.0');
    expect((await postActivate(device)).exitCode).toBe(0);
    await isShown(page, '#headline', 'Version 1.1.0 is running');
    await isShown(page, '#history .pill', 'Committed');
    await browser.picture('page-committed', 'desktop', 'light');
    expect(browser.complaints).toEqual([]);
  });
});

/** Listens where the page asks again after a restart. */
async function startApi(device: EmbeddedDevice, program: string): Promise<string> {
  await startOrchestrator(device);
  const address = `127.0.0.1:${freePort()}`;
  appendFileSync(join(device.dataFolder, 'config', 'orchestrator.yaml'), `  api_listen: "${address}"\n`);
  device.addService(unit, [program, 'serve']);
  expect((await device.run('systemctl', ['start', unit])).exitCode).toBe(0);
  await listensAgain(device, 1);
  return `http://${address}/`;
}

/** The install waits where it would stop the orchestrator, so that there is time to look at it. */
function holdPreInstall(device: EmbeddedDevice): Disposable & { letGo(): void } {
  const systemctl = join(device.binFolder, 'systemctl');
  const real = join(device.binFolder, 'systemctl-itself');
  const held = join(device.folder, 'held');
  renameSync(systemctl, real);
  writeFileSync(held, '');
  const wait = `case "$*" in 'stop homie-orchestrator') while [ -e '${held}' ]; do sleep 0.05; done ;; esac`;
  writeFileSync(systemctl, `#!/bin/sh\n${wait}\nexec '${real}' "$@"\n`, { mode: 0o755 });
  const letGo = (): void => rmSync(held, { force: true });
  return { letGo, [Symbol.dispose]: letGo };
}

async function restartApi(device: EmbeddedDevice): Promise<void> {
  expect((await device.run('systemctl', ['restart', unit])).exitCode).toBe(0);
  await listensAgain(device, 2);
  expect(logOf(device)).toContain('Found the install again that is under way');
}

async function listensAgain(device: EmbeddedDevice, times: number): Promise<void> {
  const path = join(device.dataFolder, 'logs', 'update.log');
  await until(() => {
    try {
      return readFileSync(path, 'utf8').split('Listening on').length > times;
    } catch {
      return false;
    }
  });
}

/** With the keyboard alone. */
async function startInstall(page: Page, token: string): Promise<void> {
  await page.focus('#install');
  await page.keyboard.press('Enter');
  await page.keyboard.type('new.raucb');
  await page.keyboard.press('Tab');
  await page.keyboard.type(token);
  await page.keyboard.press('Enter');
}

async function isShown(page: Page, selector: string, text: string | RegExp): Promise<void> {
  const found = page.locator(selector).filter({ hasText: text });
  await found.first().waitFor({ timeout: 120_000 });
}
