/** Takes the user and password out of URLs, and the value out of token-like query fields. */
export function redact(text: string): string {
  return text
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, '$1***@')
    .replace(/([?&](?:access_token|token|key|secret|password|sig|signature)=)[^&\s"']+/gi, '$1***')
    .replace(/\b(authorization:\s*(?:bearer|basic|targettoken|gatewaytoken)\s+)\S+/gi, '$1***');
}
