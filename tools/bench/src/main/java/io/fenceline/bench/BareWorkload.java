package io.fenceline.bench;

import io.fenceline.bench.limits.RawLimits;
import io.fenceline.bench.limits.RawRing;
import io.fenceline.journal.Durability;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A raw limit: frames of the journal's length to a part of a [RawRing], by the means of the medium and no
/// others.
final class BareWorkload extends Workload {
    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();

    /// How a frame gets to the medium.
    enum Means {
        /// `MEMORY`: header, checksum, non-temporal stores, fence.
        FRAMED("limit: framed NT + fence"),
        /// `MEMORY`: non-temporal stores, fence.
        RAW("limit: raw NT + fence"),
        /// `PROCESS`.
        MEMCPY("limit: memcpy"),
        /// `DEVICE`.
        SYNC("limit: pwrite + fdatasync");

        private final String title;

        Means(String title) {
            this.title = title;
        }

        String title() {
            return title;
        }

        static List<Means> of(Durability durability) {
            return switch (durability) {
                case MEMORY -> List.of(FRAMED, RAW);
                case DEVICE -> List.of(SYNC);
                case PROCESS -> List.of(MEMCPY);
            };
        }
    }

    private final Means means;
    private final RawRing ring;
    private final boolean alone;
    private final @Nullable StageTimes times;
    private final int frameLengthBytes;
    private final MemorySegment stage;
    private final MemorySegment line = Arena.ofAuto().allocate(64, 64);
    private final long base;
    private final long source;
    private final long start;
    private final long end;
    private long at;
    private long sequence;

    /// @param part  which of how many equal parts of the ring
    /// @param times where the stages are timed; null: nowhere
    BareWorkload(Means means, RawRing ring, int frameLengthBytes, int part, int parts, @Nullable StageTimes times) {
        this.means = means;
        this.ring = ring;
        this.alone = parts == 1 && times == null;
        this.times = times;
        this.frameLengthBytes = frameLengthBytes;
        this.stage = Arena.ofAuto().allocate(frameLengthBytes, 64);
        this.base = ring.bytes().address();
        this.source = ring.source().address();
        long length = ring.lengthBytes() / parts & -64;
        this.start = part * length;
        this.end = start + length;
        this.at = start;
    }

    @Override
    void run(long stamp) {
        if (times != null) {
            times.begin();
            times.reserved();
        }
        long to = at;
        at = to + 2L * frameLengthBytes <= end ? to + frameLengthBytes : start;
        switch (means) {
            case FRAMED -> RawLimits.storeFramed(base + to, stage.address(), sequence++, to, frameLengthBytes, source);
            case RAW -> RawLimits.store(base + to, source, frameLengthBytes);
            case MEMCPY -> RawLimits.copy(base + to, source, frameLengthBytes);
            case SYNC -> RawLimits.pwrite(ring.fd(), source, frameLengthBytes, to);
        }
        if (times != null) {
            times.written();
        }
        switch (means) {
            case FRAMED, RAW -> RawLimits.fence();
            case SYNC -> RawLimits.fdatasync(ring.fd());
            case MEMCPY -> {}
        }
        if (times != null) {
            times.persisted();
            LONG.setRelease(line, 0L, at);
            times.published(stamp);
        }
    }

    /// The loop in C.
    @Override
    boolean runAll(long n) {
        if (!alone) {
            return false;
        }
        switch (means) {
            case FRAMED -> ring.framed(frameLengthBytes, n);
            case RAW -> ring.nt(frameLengthBytes, n);
            case MEMCPY -> ring.memcpy(frameLengthBytes, n);
            case SYNC -> ring.sync(frameLengthBytes, n);
        }
        return true;
    }
}
