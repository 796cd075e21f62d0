package io.fenceline.tailer;

/// Is told what a tailer skips; see [TailerConfig#withSkipDamage].
@FunctionalInterface
public interface DamageHandler {
    /// Called once per range, on the polling thread, between the entries before the range and those behind it; the
    /// tailer stands behind the range already (polling backwards, before it). What it throws leaves `poll`. It may
    /// close the tailer or [Tailer#skipTo] elsewhere; it must not poll it.
    void onDamage(SkippedRange range);
}
