/** What a pickle holds that is neither a number, a text, a list nor a map: the call of something imported. */
export interface Call {
  /** `torch._utils _rebuild_tensor_v2`. */
  readonly of: string;
  readonly args: readonly unknown[];
  /** What was put into it afterwards, key by key. */
  readonly items: Map<unknown, unknown>;
}

export interface Unpickled {
  readonly value: unknown;
  /** Where the next byte after it is. */
  readonly end: number;
}

const MARK = Symbol('mark');

/**
 * Reads one pickle (protocol 2, the operations that PyTorch writes) without executing anything: what it would import and call
 * comes out as `Call`. `persistent` answers persistent ids. Throws Error for other operations. Source: CPython's pickletools.
 */
export function unpickle(bytes: Buffer, from: number, persistent: (id: unknown) => unknown): Unpickled {
  const stack: unknown[] = [];
  const memo = new Map<number, unknown>();
  let at = from;
  const sinceMark = () => {
    const items = stack.splice(stack.lastIndexOf(MARK));
    return items.slice(1);
  };
  const put = (pairs: readonly unknown[]) => {
    const target = stack.at(-1) as Map<unknown, unknown> | Call;
    const map = target instanceof Map ? target : target.items;
    for (let i = 0; i < pairs.length; i += 2) map.set(pairs[i], pairs[i + 1]);
  };
  const line = () => {
    const end = bytes.indexOf(10, at);
    const text = bytes.toString('latin1', at, end);
    at = end + 1;
    return text;
  };
  const skip = (count: number) => {
    at += count;
    return at - count;
  };
  for (;;) {
    const code = bytes[at++];
    switch (code) {
      case 0x80: // PROTO
        at++;
        break;
      case 0x4e: // NONE
        stack.push(null);
        break;
      case 0x88: // NEWTRUE, NEWFALSE
      case 0x89:
        stack.push(code === 0x88);
        break;
      case 0x4b: // BININT1, BININT2, BININT
        stack.push(bytes[at++]);
        break;
      case 0x4d:
        stack.push(bytes.readUInt16LE(skip(2)));
        break;
      case 0x4a:
        stack.push(bytes.readInt32LE(skip(4)));
        break;
      case 0x8a: {
        // LONG1: little-endian, two's complement
        const size = bytes[at++]!;
        let value = 0n;
        for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[at + i]!);
        at += size;
        stack.push(size === 0 ? 0 : Number(BigInt.asIntN(8 * size, value)));
        break;
      }
      case 0x58: {
        // BINUNICODE
        const size = bytes.readUInt32LE(skip(4));
        stack.push(bytes.toString('utf8', at, at + size));
        at += size;
        break;
      }
      case 0x7d: // EMPTY_DICT
        stack.push(new Map());
        break;
      case 0x5d: // EMPTY_LIST, EMPTY_TUPLE
      case 0x29:
        stack.push([]);
        break;
      case 0x28: // MARK
        stack.push(MARK);
        break;
      case 0x74: // TUPLE, TUPLE1 … TUPLE3
        stack.push(sinceMark());
        break;
      case 0x85:
      case 0x86:
      case 0x87:
        stack.push(stack.splice(stack.length - (code - 0x84)));
        break;
      case 0x71: // BINPUT, LONG_BINPUT
        memo.set(bytes[at++]!, stack.at(-1));
        break;
      case 0x72:
        memo.set(bytes.readUInt32LE(skip(4)), stack.at(-1));
        break;
      case 0x68: // BINGET, LONG_BINGET
        stack.push(memo.get(bytes[at++]!));
        break;
      case 0x6a:
        stack.push(memo.get(bytes.readUInt32LE(skip(4))));
        break;
      case 0x63: // GLOBAL
        stack.push(`${line()} ${line()}`);
        break;
      case 0x52: {
        // REDUCE
        const args = stack.pop() as readonly unknown[];
        stack.push({ of: String(stack.pop()), args, items: new Map() } satisfies Call);
        break;
      }
      case 0x62: // BUILD: attributes of the object, which nobody needs
        stack.pop();
        break;
      case 0x51: // BINPERSID
        stack.push(persistent(stack.pop()));
        break;
      case 0x73: // SETITEM, SETITEMS
        put(stack.splice(-2));
        break;
      case 0x75:
        put(sinceMark());
        break;
      case 0x61: {
        // APPEND, APPENDS
        const item = stack.pop();
        (stack.at(-1) as unknown[]).push(item);
        break;
      }
      case 0x65: {
        const items = sinceMark();
        (stack.at(-1) as unknown[]).push(...items);
        break;
      }
      case 0x2e: // STOP
        return { value: stack.pop(), end: at };
      default:
        throw new Error(`its pickle has the operation 0x${(code ?? 0).toString(16)} at byte ${at - 1}`);
    }
  }
}
