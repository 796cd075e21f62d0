package io.fenceline.appender;

import com.lmax.disruptor.EventHandler;
import io.fenceline.journal.AppendResult;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.positions.Positions;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The journalling stage of an LMAX Disruptor pipeline of your own: it appends each event, and the end of a batch is
/// one commit. Whatever is gated behind it sees an event only when it is durable.
///
///     JournalEventHandler<Order> journaller = JournalEventHandler.open(journal, encoder);
///     disruptor.handleEventsWith(journaller, replicator).then(businessLogic);
///
/// Events are encoded straight into the buffer from which they are written. A commit is one frame, recovered whole or
/// not at all, as far as it fits into one; a batch longer than half a segment is more than one commit.
///
/// Assumptions:
/// 1. The handler belongs to one event processor; the Disruptor is shut down before [#close].
/// 2. The processor's sequence is not advanced early (the handler does not use Disruptor's sequence callback).
///
/// Guarantees:
/// 1. When a processor behind this one gets an event, the event is durable at the journal's level.
/// 2. What is in the journal is a prefix of the events, in their order. After the first failure (a full journal, an I/O
///    fault, an encoder or an outcome that throws) nothing more is appended, every event is still told its outcome,
///    and every call throws. Under the Disruptor's default exception handler the first such exception ends the
///    processor, so that nothing behind it runs; with one that goes on, stages behind must look at the [Outcome].
/// 3. Nothing is allocated in steady state.
public final class JournalEventHandler<T> implements EventHandler<T>, AutoCloseable {
    private static final int COMMIT_LENGTH_BYTES = 4 << 20;

    /// Told what became of an event, before any stage behind gets it.
    @FunctionalInterface
    public interface Outcome<T> {
        /// On the thread of the processor, in the order of the events; to note the place in the event, for instance.
        ///
        /// @param result   the position of the frame: the event is durable; or a result of [AppendResult]
        /// @param sequence of the entry, -1 with a negative result
        void onJournaled(T event, long result, long sequence);
    }

    private final ExclusiveAppender appender;
    private final EntryEncoder<? super T> encoder;
    private final @Nullable Outcome<? super T> outcome;
    private final FrameRun run;
    private final List<T> events = new ArrayList<>();
    private final int maximumPayloadLengthBytes;
    private @Nullable JournalException failure;
    private long failedResult;

    private JournalEventHandler(
            Positions positions, EntryEncoder<? super T> encoder, @Nullable Outcome<? super T> outcome) {
        this.appender = ExclusiveAppender.open(positions);
        this.encoder = encoder;
        this.outcome = outcome;
        this.run = appender.run(COMMIT_LENGTH_BYTES);
        this.maximumPayloadLengthBytes = positions.geometry().maximumPayloadLengthBytes();
    }

    /// Takes the journal's one place of an appender.
    ///
    /// @throws IllegalStateException if it is taken, or the journal is closed
    public static <T> JournalEventHandler<T> open(Journal journal, EntryEncoder<? super T> encoder) {
        return open(journal.positions(), encoder, null);
    }

    /// Takes the journal's one place of an appender.
    ///
    /// @param outcome told of each event
    /// @throws IllegalStateException if it is taken, or the journal is closed
    public static <T> JournalEventHandler<T> open(
            Journal journal, EntryEncoder<? super T> encoder, Outcome<? super T> outcome) {
        return open(journal.positions(), encoder, outcome);
    }

    /// Over positions on any medium; for tests.
    static <T> JournalEventHandler<T> open(
            Positions positions, EntryEncoder<? super T> encoder, @Nullable Outcome<? super T> outcome) {
        return new JournalEventHandler<>(positions, encoder, outcome);
    }

    /// Appends the event; commits at the end of a batch.
    ///
    /// @throws JournalException if the commit failed, or one before
    @Override
    public void onEvent(T event, long sequence, boolean endOfBatch) {
        events.add(event);
        try {
            checkFailure();
            add(event);
        } catch (RuntimeException | Error e) {
            // What came before the event is still to be committed.
            events.removeLast();
            if (failure == null) {
                commitAll();
                if (failure == null) {
                    fail(AppendResult.CLOSED, "the event was not encoded: " + e, e);
                }
            }
            tell(event, failedResult, -1);
            throw e;
        }
        if (endOfBatch) {
            commitAll();
            checkFailure();
        }
    }

    private void add(T event) {
        int length = encoder.lengthBytes(event);
        if (length < 0 || length > maximumPayloadLengthBytes) {
            throw new IllegalArgumentException("payload of " + length + " bytes: expected 0 to "
                    + maximumPayloadLengthBytes + ", a quarter of a segment");
        }
        if (!run.hasRoom(length)) {
            T last = events.removeLast();
            commitAll();
            events.add(last);
            checkFailure();
        }
        int type = encoder.type(event);
        int offset = run.claim(length);
        encoder.encode(event, run.bytes(), offset, length);
        run.add(type);
    }

    private void commitAll() {
        if (events.isEmpty()) {
            return;
        }
        long result;
        try {
            result = appender.commit(run, appender.positions.timestampNs());
            if (result < 0) {
                fail(result, "events were not journaled: " + AppendResult.describe(result), null);
            }
        } catch (RuntimeException | Error e) {
            result = AppendResult.POISONED;
            fail(result, "events were not journaled: " + e.getMessage(), e);
        }
        try {
            tellAll(result);
        } finally {
            run.clear();
            events.clear();
        }
    }

    private void tellAll(long result) {
        int index = 0;
        for (int frame = 0; frame < run.frames(); frame++) {
            for (int i = 0; i < run.entries(frame); i++, index++) {
                long place = result < 0 ? result : run.position(frame);
                tell(events.get(index), place, result < 0 ? -1 : run.firstSequence() + index);
            }
        }
    }

    private void tell(T event, long result, long sequence) {
        if (outcome != null) {
            try {
                outcome.onJournaled(event, result, sequence);
            } catch (RuntimeException | Error e) {
                // The others are still to be told; only then does the call throw.
                if (failure == null) {
                    fail(AppendResult.CLOSED, "the outcome of an event threw: " + e, e);
                }
            }
        }
    }

    private void fail(long result, String message, @Nullable Throwable cause) {
        failedResult = result;
        failure = new JournalException(message + "; this journaller appends nothing more");
        if (cause != null) {
            failure.initCause(cause);
        }
    }

    private void checkFailure() {
        if (failure != null) {
            throw new JournalException(String.valueOf(failure.getMessage()), failure);
        }
    }

    /// Gives the appender's place back; the journal stays open.
    @Override
    public void close() {
        appender.close();
    }
}
