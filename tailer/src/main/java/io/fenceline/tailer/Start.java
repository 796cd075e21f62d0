package io.fenceline.tailer;

import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;

/// Where a tailer begins. Immutable.
///
/// | start | first entry delivered |
/// |---|---|
/// | [#oldest] | the oldest one that the ring still holds |
/// | [#newest] | the first one published after opening |
/// | [#position] | the first one of the frame at that position |
/// | [#sequence] | the first one with that sequence or a greater one |
/// | [#time] | the first one with that timestamp or a later one; see there for what that means when times go back |
public final class Start {
    /// The ways to say it.
    public enum Kind {
        OLDEST,
        NEWEST,
        POSITION,
        SEQUENCE,
        TIME
    }

    /// How far timestamps may stray from order if nothing else is said: 1 ms.
    public static final Duration DEFAULT_SKEW = Duration.ofMillis(1);

    private static final Start OLDEST = new Start(Kind.OLDEST, 0);
    private static final Start NEWEST = new Start(Kind.NEWEST, 0);
    private static final String SEQUENCE_PREFIX = "seq:";
    private static final String TIME_PREFIX = "time:";
    private static final long NS_PER_S = 1_000_000_000;

    private final Kind kind;
    private final long value;
    private final long skewNs;

    private Start(Kind kind, long value) {
        this(kind, value, 0);
    }

    private Start(Kind kind, long value, long skewNs) {
        this.kind = kind;
        this.value = value;
        this.skewNs = skewNs;
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

    /// At the first entry with that timestamp or a later one, with [#DEFAULT_SKEW].
    ///
    /// @throws IllegalArgumentException if it is no number of ns since the epoch that fits 64 bits (1677 to 2262)
    public static Start time(Instant time) {
        return time(time, DEFAULT_SKEW);
    }

    /// At the first entry with that timestamp or a later one; at the newest place if there is none.
    ///
    /// Timestamps need not be in order: callers may give any, threads take theirs before their place, clocks are
    /// set back. Let `skew` bound how far they stray: no entry's timestamp is more than `skew` below that of any
    /// entry before it. Then the place is exact: the one that a search of every entry from the oldest on would
    /// find. Where timestamps stray further, it is the first such entry behind *some* entry whose timestamp is
    /// more than `skew` below `time`, or behind the oldest one: entries before it may be as late, entries behind
    /// it earlier, but it is itself never earlier than `time`. Entries without a timestamp (0) tell nothing, and
    /// are not begun at: a log that has no timestamps is walked frame by frame.
    ///
    /// @param skew 0 or more. The search is logarithmic, but the entries of this span are walked one by one
    /// @throws IllegalArgumentException if the skew is negative; if either is no number of ns that fits 64 bits
    public static Start time(Instant time, Duration skew) {
        if (skew.isNegative()) {
            throw new IllegalArgumentException("skew " + skew + ": expected 0 or more");
        }
        try {
            long ns = Math.addExact(Math.multiplyExact(time.getEpochSecond(), NS_PER_S), time.getNano());
            return new Start(Kind.TIME, ns, skew.toNanos());
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException(
                    "time " + time + " with skew " + skew + ": expected ns since the epoch that fit 64 bits", e);
        }
    }

    /// Reads `oldest`, `newest`, a position in digits, `seq:` with a sequence in digits, or `time:` with an
    /// instant of ISO 8601, such as `time:2026-11-22T10:00:00Z` or with an offset, such as `+02:00`; as
    /// [#toString] writes it.
    ///
    /// @throws IllegalArgumentException for anything else
    public static Start parse(String text) {
        if (text.equals("oldest")) {
            return OLDEST;
        }
        if (text.equals("newest")) {
            return NEWEST;
        }
        if (text.startsWith(TIME_PREFIX)) {
            try {
                return time(Instant.parse(text.substring(TIME_PREFIX.length())));
            } catch (DateTimeParseException e) {
                throw new IllegalArgumentException(
                        "start '" + text + "': expected an instant with its zone, such as time:2026-11-22T10:00:00Z or"
                                + " time:2026-11-22T12:00:00.5+02:00",
                        e);
            }
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
                + "': expected oldest, newest, a position (digits), seq:N (N the sequence of an entry), or"
                + " time:INSTANT");
    }

    public Kind kind() {
        return kind;
    }

    /// The position, the sequence, or the time in ns since the epoch; 0 where the kind has none.
    public long value() {
        return value;
    }

    /// How far timestamps may stray from order, in ns; 0 but for a time.
    public long skewNs() {
        return skewNs;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Start start && start.kind == kind && start.value == value && start.skewNs == skewNs;
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
            case TIME -> TIME_PREFIX + Instant.ofEpochSecond(0, value);
        };
    }
}
