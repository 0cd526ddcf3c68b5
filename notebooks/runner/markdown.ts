import { escapeXml } from '../../results/formats/escape.js';

/** The Markdown of our notebooks: headings, paragraphs, lists, fenced code; in a line `code`, **bold**, *stressed*, [links](…). */
export function markdownHtml(text: string): string {
  return text
    .split(/\n{2,}(?=(?:[^`]|`(?!``)|```[\s\S]*?```)*$)/)
    .map(blockHtml)
    .join('\n');
}

function blockHtml(block: string): string {
  const fence = /^```\w*\n([\s\S]*?)\n?```$/.exec(block.trim());
  if (fence) return `<pre tabindex="0"><code>${escapeXml(fence[1]!)}</code></pre>`;
  const heading = /^(#{1,3})\s+(.+)$/.exec(block.trim());
  if (heading) return `<h${heading[1]!.length}>${inline(heading[2]!)}</h${heading[1]!.length}>`;
  const items = block.trim().split(/\n(?=[-*] )/);
  if (items.every((item) => /^[-*] /.test(item)))
    return `<ul>\n${items.map((item) => `<li>${inline(item.slice(2))}</li>`).join('\n')}\n</ul>`;
  return block.trim() === '' ? '' : `<p>${inline(block.trim())}</p>`;
}

function inline(text: string): string {
  return text
    .split(/(`[^`]+`)/)
    .map((part) =>
      part.startsWith('`') && part.length > 1
        ? `<code>${escapeXml(part.slice(1, -1))}</code>`
        : marked(escapeXml(part)),
    )
    .join('');
}

function marked(escaped: string): string {
  return escaped
    .replaceAll(/\*\*(.+?)\*\*/gs, '<strong>$1</strong>')
    .replaceAll(/\*(.+?)\*/gs, '<em>$1</em>')
    .replaceAll(/\[([^\]]+)\]\(((?:https:\/\/|\.\.?\/|#)[^)\s]+)\)/g, '<a href="$2">$1</a>');
}
