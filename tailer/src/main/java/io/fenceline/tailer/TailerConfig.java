package io.fenceline.tailer;

import java.util.function.IntPredicate;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// How a tailer reads. Immutable; each `with…` returns a changed copy.
public final class TailerConfig {
    private static final TailerConfig DEFAULTS = new TailerConfig();

    private boolean verifyChecksums = true;
    private @Nullable LongSupplier until;
    private @Nullable IntPredicate types;
    private @Nullable DamageHandler damageHandler;

    private TailerConfig() {}

    private TailerConfig(TailerConfig other) {
        verifyChecksums = other.verifyChecksums;
        until = other.until;
        types = other.types;
        damageHandler = other.damageHandler;
    }

    /// Checksums are verified, all types are wanted, only what is published ends the reading, damage is an
    /// exception.
    public static TailerConfig defaults() {
        return DEFAULTS;
    }

    /// Whether checksums are verified. False leaves out rule (4) of a frame's validity, and with it the detection
    /// of damage to payloads; lengths, positions, epochs are checked all the same.
    public TailerConfig withVerifyChecksums(boolean verifyChecksums) {
        TailerConfig config = new TailerConfig(this);
        config.verifyChecksums = verifyChecksums;
        return config;
    }

    /// Polling forwards ends at a position: frames that end behind it are not delivered.
    ///
    /// @throws IllegalArgumentException if negative
    public TailerConfig withUntil(long position) {
        if (position < 0) {
            throw new IllegalArgumentException("until position " + position + ": expected 0 or more");
        }
        return withUntil(() -> position);
    }

    /// Polling forwards ends at a position that moves: one that another process or thread publishes, up to which
    /// entries are replicated, for example. Frames that end behind it are not delivered yet.
    ///
    /// @param position asked by the polling thread whenever it copies from the ring, so not for each entry. What it
    ///                 returns should be read with acquire, and never go back: what was copied before is delivered
    public TailerConfig withUntil(LongSupplier position) {
        TailerConfig config = new TailerConfig(this);
        config.until = position;
        return config;
    }

    /// Only entries of certain types are delivered and counted; the others are read, verified and passed over. A
    /// poll passes over all of them that were published when it began, so it takes as long as they are many.
    ///
    /// @param types tells whether entries of a type are wanted; called by the polling thread for each entry
    public TailerConfig withTypes(IntPredicate types) {
        TailerConfig config = new TailerConfig(this);
        config.types = types;
        return config;
    }

    /// A damaged frame is skipped and reported, rather than an exception at each poll. Reading goes on at the next
    /// frame that certifies itself. Only damage is skipped ([io.fenceline.journal.JournalException.Corrupt]): what
    /// a newer version wrote and what the storage cannot read remain exceptions.
    public TailerConfig withSkipDamage(DamageHandler handler) {
        TailerConfig config = new TailerConfig(this);
        config.damageHandler = handler;
        return config;
    }

    boolean verifyChecksums() {
        return verifyChecksums;
    }

    @Nullable
    LongSupplier until() {
        return until;
    }

    @Nullable
    IntPredicate types() {
        return types;
    }

    @Nullable
    DamageHandler damageHandler() {
        return damageHandler;
    }
}
