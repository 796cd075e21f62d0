package io.fenceline.tools;

import java.io.IOException;
import java.io.OutputStream;

/// Makes foreign text harmless: payloads, file names and error messages reach a terminal through here only.
///
/// Escaped are control characters (C0, DEL, C1: an ESC never gets through), characters that reorder or hide text
/// (the Unicode categories Cf, Zl, Zp, Cs, Co, Cn) and bytes that are no UTF-8: as `\t \n \r`, `\xNN` for a byte,
/// `\\u{N}` for a character. A backslash stays as it is: the result is for people, not for parsing.
final class Printable {
    private static final char[] HEX = "0123456789abcdef".toCharArray();

    private Printable() {}

    /// A text on one line.
    static String of(String text) {
        StringBuilder result = new StringBuilder(text.length() + 16);
        text.codePoints().forEach(c -> append(result, c));
        return result.toString();
    }

    private static void append(StringBuilder result, int c) {
        if (isHarmless(c)) {
            result.appendCodePoint(c);
        } else {
            switch (c) {
                case '\t' -> result.append("\\t");
                case '\n' -> result.append("\\n");
                case '\r' -> result.append("\\r");
                default -> {
                    if (c < 0x80) {
                        result.append("\\x").append(HEX[c >> 4]).append(HEX[c & 0xF]);
                    } else {
                        result.append("\\u{").append(Integer.toHexString(c)).append('}');
                    }
                }
            }
        }
    }

    private static boolean isHarmless(int c) {
        if (c >= 0x20 && c < 0x7F) {
            return true;
        }
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED -> false;
            default -> true;
        };
    }

    /// Bytes, taken as UTF-8 where they are.
    static String of(byte[] bytes, int offset, int length) {
        StringBuilder result = new StringBuilder(length + 16);
        int end = offset + length;
        for (int at = offset; at < end; ) {
            int size = sequenceLength(bytes, at, end);
            if (size == 0) {
                result.append("\\x").append(HEX[bytes[at] >> 4 & 0xF]).append(HEX[bytes[at] & 0xF]);
                at++;
            } else {
                append(result, codePoint(bytes, at, size));
                at += size;
            }
        }
        return result.toString();
    }

    /// Writes bytes as [#of(byte[], int, int)] shows them.
    static void write(OutputStream out, byte[] bytes, int offset, int length) throws IOException {
        out.write(of(bytes, offset, length).getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }

    /// Whether all of it is well-formed UTF-8.
    static boolean isUtf8(byte[] bytes, int offset, int length) {
        int end = offset + length;
        int at = offset;
        while (at < end) {
            int size = sequenceLength(bytes, at, end);
            if (size == 0) {
                return false;
            }
            at += size;
        }
        return true;
    }

    /// Length of the well-formed UTF-8 sequence at a place, 0 if there is none.
    private static int sequenceLength(byte[] bytes, int at, int end) {
        int first = bytes[at] & 0xFF;
        if (first < 0x80) {
            return 1;
        }
        int size = first >= 0xC2 && first < 0xE0
                ? 2
                : first >= 0xE0 && first < 0xF0 ? 3 : first >= 0xF0 && first < 0xF5 ? 4 : 0;
        if (size == 0 || at + size > end) {
            return 0;
        }
        for (int i = 1; i < size; i++) {
            if ((bytes[at + i] & 0xC0) != 0x80) {
                return 0;
            }
        }
        int c = codePoint(bytes, at, size);
        boolean shortest = size == 2 || (size == 3 && c >= 0x800) || (size == 4 && c >= 0x1_0000);
        return shortest && c <= Character.MAX_CODE_POINT && (c < 0xD800 || c > 0xDFFF) ? size : 0;
    }

    private static int codePoint(byte[] bytes, int at, int size) {
        int c = size == 1 ? bytes[at] : bytes[at] & (0x7F >> size);
        for (int i = 1; i < size; i++) {
            c = c << 6 | (bytes[at + i] & 0x3F);
        }
        return c;
    }
}
