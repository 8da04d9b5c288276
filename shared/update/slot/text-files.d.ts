/** Unit files are compiled in as text, so that every program can put them into a slot by itself. */
declare module '*.service' {
  const text: string;
  // biome-ignore lint/style/noDefaultExport: an import with { type: 'text' } is a default import
  export default text;
}

declare module '*.timer' {
  const text: string;
  // biome-ignore lint/style/noDefaultExport: as above
  export default text;
}

declare module '*.conf' {
  const text: string;
  // biome-ignore lint/style/noDefaultExport: as above
  export default text;
}
