import type { AnyDefinition, PackageDefinition } from '@grpc/proto-loader';
import descriptor from 'protobufjs/ext/descriptor/index.js';

/**
 * The same definitions with map entries named as protobuf demands, `MaxSizeEntry` for the field `max_size`: protobufjs
 * calls them `Max_size`, and clients in Go (ghz, grpcurl) refuse such descriptors. Source: descriptor.proto, MessageOptions
 * `map_entry`.
 */
export function withMapEntryNames(definition: PackageDefinition): PackageDefinition {
  const mended = new Map<Buffer, Buffer>();
  const mend = (file: Buffer): Buffer => {
    const known = mended.get(file) ?? mendFile(file);
    mended.set(file, known);
    return known;
  };
  const mendEntry = (entry: AnyDefinition): AnyDefinition =>
    'fileDescriptorProtos' in entry && Array.isArray(entry.fileDescriptorProtos)
      ? ({ ...entry, fileDescriptorProtos: entry.fileDescriptorProtos.map(mend) } as AnyDefinition)
      : entry;
  return Object.fromEntries(Object.entries(definition).map(([name, entry]) => [name, mendEntry(entry)]));
}

interface Message {
  name: string;
  field: { typeName?: string }[];
  nestedType: Message[];
  options?: { mapEntry?: boolean };
}

function mendFile(bytes: Buffer): Buffer {
  const file = descriptor.FileDescriptorProto.decode(bytes) as unknown as { messageType: Message[] };
  for (const message of file.messageType) mendMessage(message);
  return Buffer.from(descriptor.FileDescriptorProto.encode(file as never).finish());
}

function mendMessage(message: Message): void {
  for (const entry of message.nestedType) {
    mendMessage(entry);
    if (!entry.options?.mapEntry || entry.name.endsWith('Entry')) continue;
    const name = `${camelCase(entry.name)}Entry`;
    for (const field of message.field)
      if (field.typeName?.split('.').pop() === entry.name) field.typeName = field.typeName.replace(/[^.]+$/, name);
    entry.name = name;
  }
}

function camelCase(name: string): string {
  return name.replace(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
