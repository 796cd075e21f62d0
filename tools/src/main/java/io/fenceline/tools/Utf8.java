package io.fenceline.tools;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// Decodes UTF-8 that comes in pieces: to find out whether it is any, or into a JSON string.
final class Utf8 {
    private static final int MAXIMUM_SEQUENCE_LENGTH_BYTES = 4;

    private final @Nullable StringBuilder json;
    private final CharsetDecoder decoder;
    private final CharBuffer chars = CharBuffer.allocate(8 << 10);
    private ByteBuffer left = ByteBuffer.allocate(0);
    private boolean malformed;

    /// Only finds out.
    Utf8() {
        this(null, CodingErrorAction.REPORT);
    }

    /// Appends what a JSON string holds; malformed bytes become U+FFFD.
    Utf8(StringBuilder json) {
        this(json, CodingErrorAction.REPLACE);
    }

    private Utf8(@Nullable StringBuilder json, CodingErrorAction action) {
        this.json = json;
        this.decoder =
                StandardCharsets.UTF_8.newDecoder().onMalformedInput(action).onUnmappableCharacter(action);
    }

    /// Takes the next piece.
    void accept(byte[] bytes, int length) {
        ByteBuffer in;
        if (left.hasRemaining()) {
            in = ByteBuffer.allocate(left.remaining() + length)
                    .put(left)
                    .put(bytes, 0, length)
                    .flip();
        } else {
            in = ByteBuffer.wrap(bytes, 0, length);
        }
        boolean more = !malformed;
        while (more) {
            var result = decoder.decode(in, chars, false);
            malformed = result.isError();
            more = result.isOverflow();
            drain();
        }
        // The beginning of a character at most.
        left = ByteBuffer.allocate(MAXIMUM_SEQUENCE_LENGTH_BYTES);
        if (!malformed) {
            left.put(in);
        }
        left.flip();
    }

    private void drain() {
        chars.flip();
        if (json != null) {
            JsonObject.escape(json, chars);
        }
        chars.clear();
    }

    /// Whether everything was UTF-8.
    boolean isWhole() {
        return !malformed && !left.hasRemaining();
    }
}
