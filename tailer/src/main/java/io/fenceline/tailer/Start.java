package io.fenceline.tailer;

/// Where a tailer begins. Immutable.
///
/// | start | first entry delivered |
/// |---|---|
/// | [#oldest] | the oldest one that the ring still holds |
/// | [#newest] | the first one published after opening |
/// | [#position] | the first one of the frame at that position |
/// | [#sequence] | the first one with that sequence or a greater one |
public final class Start {
    /// The ways to say it.
    public enum Kind {
        OLDEST,
        NEWEST,
        POSITION,
        SEQUENCE
    }

    private static final Start OLDEST = new Start(Kind.OLDEST, 0);
    private static final Start NEWEST = new Start(Kind.NEWEST, 0);
    private static final String SEQUENCE_PREFIX = "seq:";

    private final Kind kind;
    private final long value;

    private Start(Kind kind, long value) {
        this.kind = kind;
        this.value = value;
    }

    /// At the oldest entry that is retained.
    public static Start oldest() {
        return OLDEST;
    }

    /// Behind everything that is published at opening.
    public static Start newest() {
        return NEWEST;
    }

    /// At the start of a frame: a position that an append returned, that [Entry#position] or [Tailer#position]
    /// told, or the journal's `published`.
    ///
    /// @throws IllegalArgumentException if negative
    public static Start position(long position) {
        if (position < 0) {
            throw new IllegalArgumentException("position " + position + ": expected 0 or more");
        }
        return new Start(Kind.POSITION, position);
    }

    /// At the first entry whose sequence is this one or greater; sequences have gaps only where a crash left
    /// them.
    ///
    /// @throws IllegalArgumentException if negative
    public static Start sequence(long sequence) {
        if (sequence < 0) {
            throw new IllegalArgumentException("sequence " + sequence + ": expected 0 or more");
        }
        return new Start(Kind.SEQUENCE, sequence);
    }

    /// Reads `oldest`, `newest`, a position in digits, or `seq:` with a sequence in digits; as [#toString] writes
    /// it.
    ///
    /// @throws IllegalArgumentException for anything else
    public static Start parse(String text) {
        if (text.equals("oldest")) {
            return OLDEST;
        }
        if (text.equals("newest")) {
            return NEWEST;
        }
        boolean sequence = text.startsWith(SEQUENCE_PREFIX);
        String digits = sequence ? text.substring(SEQUENCE_PREFIX.length()) : text;
        if (!digits.isEmpty() && digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
            try {
                long value = Long.parseLong(digits);
                return sequence ? sequence(value) : position(value);
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException("start '" + text + "': the number is greater than 2^63 - 1", e);
            }
        }
        throw new IllegalArgumentException("start '" + text
                + "': expected oldest, newest, a position (digits), or seq:N (N the sequence of an entry)");
    }

    public Kind kind() {
        return kind;
    }

    /// The position or sequence; 0 where the kind has none.
    public long value() {
        return value;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Start start && start.kind == kind && start.value == value;
    }

    @Override
    public int hashCode() {
        return 31 * kind.hashCode() + Long.hashCode(value);
    }

    @Override
    public String toString() {
        return switch (kind) {
            case OLDEST -> "oldest";
            case NEWEST -> "newest";
            case POSITION -> Long.toString(value);
            case SEQUENCE -> SEQUENCE_PREFIX + value;
        };
    }
}
