/** Text as it may stand in HTML or SVG, between tags or in a double-quoted attribute. */
export function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
    .replaceAll(CONTROL, '�');
}

/** Text as it may stand in Markdown, table cells included: no markup, no HTML, no line break. */
export function escapeMarkdown(text: string): string {
  return text
    .replaceAll(CONTROL, '�')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\\`*_[\]|#~!]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}

/** Text for terminals and code: it can't move the cursor, ring or recolour. */
export function escapeControls(text: string): string {
  return text.replaceAll(CONTROL, '�');
}

/** Control characters except tab and line feed. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
