package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.fail;

import io.fenceline.journal.recovery.LogWalk;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What one appender did, as its caller knows it: the entries that were acknowledged, and the one append under
/// way. Judges what a recovery gave back.
final class History {
    private static final long NONE = Long.MAX_VALUE;

    /// One frame's worth of entries.
    ///
    static final class Attempt {
        final int epoch;
        final long sequence;
        final int entries;

        /// What FORMAT.md says that its bytes from the 40th on must be.
        final byte[] body;

        Attempt(int epoch, long sequence, int entries, byte[] body) {
            this.epoch = epoch;
            this.sequence = sequence;
            this.entries = entries;
            this.body = body;
        }
    }

    private final NavigableMap<Long, Attempt> certain = new TreeMap<>();

    /// The frames that one drain makes durable; more than one if they are a run.
    private List<Attempt> underWay = List.of();
    private long cut = NONE;

    /// An append begins.
    void attempt(int epoch, long sequence, List<byte[]> payloads, int type) {
        attemptRun(epoch, sequence, List.of(payloads), type);
    }

    /// A run of frames begins.
    void attemptRun(int epoch, long firstSequence, List<List<byte[]>> frames, int type) {
        List<Attempt> attempts = new ArrayList<>();
        long sequence = firstSequence;
        for (List<byte[]> payloads : frames) {
            attempts.add(new Attempt(epoch, sequence, payloads.size(), LogWalk.body(payloads, type)));
            sequence += payloads.size();
        }
        underWay = attempts;
    }

    /// It has returned.
    void returned(long... positions) {
        List<Attempt> attempts = underWay;
        underWay = List.of();
        for (int i = 0; i < attempts.size() && positions[0] >= 0; i++) {
            certain.put(positions[i], attempts.get(i));
        }
    }

    /// It failed: perhaps it is there, perhaps not.
    @Nullable
    Attempt underWay() {
        return underWay.isEmpty() ? null : underWay.getFirst();
    }

    /// Everything from a position on is being cut off: all of it is there, or nothing.
    void cutting(long from) {
        cut = from;
    }

    /// It has returned: nothing of it comes back.
    void cut() {
        certain.tailMap(cut).clear();
        cut = NONE;
    }

    /// Positions of the acknowledged frames, from a position on.
    List<Long> positions(long from) {
        return List.copyOf(certain.tailMap(from).keySet());
    }

    /// Sequence of the frame at one of them.
    long sequence(long position) {
        return Objects.requireNonNull(certain.get(position)).sequence;
    }

    /// Number of entries whose frames were acknowledged at or after a position.
    int size(long from) {
        return certain.tailMap(from).size();
    }

    /// A recovery has completed and shown these to tailers: they are what there is.
    void recovered(LogWalk walk) {
        NavigableMap<Long, Attempt> now = new TreeMap<>();
        for (LogWalk.Frame frame : walk.data()) {
            now.put(frame.position(), find(frame));
        }
        certain.clear();
        certain.putAll(now);
        underWay = List.of();
        cut = NONE;
    }

    private Attempt find(LogWalk.Frame frame) {
        Attempt attempt = certain.get(frame.position());
        for (int i = 0; attempt == null && i < underWay.size(); i++) {
            Attempt one = underWay.get(i);
            attempt = one.epoch == frame.epoch() && one.sequence == frame.sequence() ? one : null;
        }
        if (attempt == null) {
            // I2, I7, I8: nothing that was not appended, was sealed before, or is of another lap.
            return fail("I2: the frame at position " + frame.position() + " (epoch " + frame.epoch() + ", sequence "
                    + frame.sequence() + ") was not appended, or was not recovered before");
        }
        return attempt;
    }

    /// Judges what a recovery that has completed left in [retained, lease).
    ///
    /// @param mayLose a `PROCESS` journal after a power cut: entries may be missing, and slots may be damaged
    void check(LogWalk walk, boolean mayLose) {
        if (!mayLose && !walk.invalidSlots().isEmpty()) {
            fail("I18: no frame begins at position " + walk.invalidSlots().getFirst());
        }
        long sequence = -1;
        int found = 0;
        int ofRun = 0;
        for (LogWalk.Frame frame : walk.frames()) {
            if (!frame.isData()) {
                continue;
            }
            Attempt attempt = find(frame);
            if (attempt.epoch != frame.epoch()
                    || attempt.sequence != frame.sequence()
                    || attempt.entries != frame.entries()
                    || !walk.hasBody(frame, attempt.body)) {
                fail("I1, I3: the frame at position " + frame.position() + " is not the one appended: " + frame);
            }
            boolean follows = sequence < 0 || (mayLose ? frame.sequence() >= sequence : frame.sequence() == sequence);
            if (!follows) {
                fail("I4, I6: expected sequence " + sequence + " at position " + frame.position() + ", actual "
                        + frame.sequence());
            }
            sequence = frame.sequence() + frame.entries();
            found += certain.containsKey(frame.position()) ? 1 : 0;
            int inRun = underWay.indexOf(attempt);
            if (!mayLose && inRun > ofRun) {
                fail("DEPENDENT: frame " + inRun + " of a run is there, frame " + ofRun + " is not: " + frame);
            }
            ofRun += inRun >= 0 ? 1 : 0;
        }
        if (!mayLose && found != size(walk.from())) {
            List<Long> missing = new ArrayList<>(certain.tailMap(walk.from()).keySet());
            walk.data().forEach(frame -> missing.remove(frame.position()));
            if (missing.equals(positions(Math.max(walk.from(), cut)))) {
                return; // a cut under way, made whole
            }
            fail("I1, I5: acknowledged, not recovered: positions " + missing);
        }
    }
}
