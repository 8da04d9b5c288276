import { expect, test } from 'bun:test';
import { Browser } from '../support/servers/browser.ts';
import { readDocument } from './markdown.ts';

/** In a browser's usual print: A4, and letters that a tired eye can read. */
const style = `
  body { font: 10.5pt/1.25 sans-serif }
  pre, code { font: 9pt/1.2 monospace; white-space: pre-wrap }
  h1 { font-size: 14pt; margin: 0 } h2 { font-size: 11pt; margin: 5pt 0 1pt } p, pre, table { margin: 3pt 0 }
  td, th { border-bottom: 0.5pt solid #999; padding: 0 6pt; text-align: left }`;

test('docs/recovery.md is one page of paper', async () => {
  await using browser = await Browser.open();
  const html = Bun.markdown.html(readDocument('docs/recovery.md'));
  await browser.page.setContent(`<!doctype html><style>${style}</style>${html}`);
  const margin = '12mm';
  const pdf = await browser.page.pdf({
    format: 'A4',
    margin: { top: margin, bottom: margin, left: margin, right: margin },
  });
  const pages = pdf.toString('latin1').match(/\/Type\s*\/Page\b/g) ?? [];
  expect(pages).toHaveLength(1);
}, 60_000);
