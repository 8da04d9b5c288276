import { createHash } from 'node:crypto';
import html from './page.html' with { type: 'text' };

/** The status page: one file. The browser uses only the script and style that we have written. */

let policy: string | undefined;

export function pageResponse(): Response {
  // Bun's types declare every .html import as a bundle; imported as text it is a string.
  const text = String(html);
  policy ??= policyFor(text);
  return new Response(text, {
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Cache-Control': 'no-cache',
      'Content-Security-Policy': policy,
      'X-Frame-Options': 'DENY',
    },
  });
}

/** Allows the page's own script and style by their hashes (CSP Level 3), requests to its own origin, and data: images. */
function policyFor(text: string): string {
  const hashes = (tag: string): string => {
    const parts = [...text.matchAll(new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`, 'g'))];
    return parts.map(([, content = '']) => `'sha256-${sha256(content)}'`).join(' ');
  };
  return [
    "default-src 'none'",
    `script-src ${hashes('script')}`,
    `style-src ${hashes('style')}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
