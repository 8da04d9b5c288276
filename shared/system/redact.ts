/** Takes the user and password out of URLs, and the value out of token-like fields of a query or a header. */
export function redact(text: string): string {
  return text
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#]+@/gi, '$1***@')
    .replace(secretField, '$1***')
    .replace(/\b(authorization:\s*(?:bearer|basic|targettoken|gatewaytoken)\s+)\S+/gi, '$1***');
}

/** Also matches a signed URL (`X-Amz-Signature`), and the PIN of a token (RFC 7512). */
const secretField =
  /([?&;](?:[\w.-]*[_.-])?(?:token|key|secret|password|sig|signature|credential|pin-value)=)[^&;\s"']+/gi;
