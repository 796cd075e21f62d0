package io.fenceline.journal.positions;

import io.fenceline.journal.RecoveryReport;
import java.util.UUID;
import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;
import org.jspecify.annotations.Nullable;

/// What a journal tells the JDK's flight recorder: `-XX:StartFlightRecording`, `jcmd PID JFR.start`.
///
/// Nothing is told per append. Without a flight recorder nothing is allocated, and no class of an event is loaded.
///
/// Threads: any.
public final class Events {
    private Events() {}

    /// Common to all.
    @Category("Fenceline")
    @StackTrace(false)
    abstract static class JournalEvent extends Event {
        @Label("Journal")
        @Nullable
        String journal;

        JournalEvent() {}
    }

    /// A state record is made durable: a longer promise, or more that is given up; whoever asks for it waits as long.
    @Name("io.fenceline.LeaseExtension")
    @Label("Lease Extension")
    @Description("A state record is made durable: a longer lease inside an append, or more given up, by a retain, say")
    static final class LeaseExtension extends JournalEvent {
        @Label("Lease")
        long lease;

        @Label("Retained")
        long retained;

        @Label("Durable")
        @Description("False if the storage failed: what the lease and the retained position were to be")
        boolean durable;

        LeaseExtension() {}
    }

    /// Appends go over to another segment.
    @Name("io.fenceline.Rotation")
    @Label("Rotation")
    static final class Rotation extends JournalEvent {
        @Label("Segment Start")
        long segmentStart;

        Rotation() {}
    }

    /// An appender waits for room in the ring.
    @Name("io.fenceline.Stall")
    @Label("Stall")
    @Description("An appender waits for room in the ring")
    static final class Stall extends JournalEvent {
        @Label("Wanted End")
        long end;

        @Label("Retained")
        @Description("When the wait was over; there is room if the wanted end is at most the capacity beyond it")
        long retained;

        Stall() {}
    }

    /// Nothing is acknowledged any more.
    @Name("io.fenceline.Poison")
    @Label("Poison")
    @Description("The first I/O fault: nothing is acknowledged any more until the journal is opened again")
    static final class Poison extends JournalEvent {
        @Label("Cause")
        @Nullable
        String cause;

        Poison() {}
    }

    /// A journal was opened for writing.
    @Name("io.fenceline.Recovery")
    @Label("Recovery")
    static final class Recovery extends JournalEvent {
        @Label("Verdict")
        @Nullable
        String verdict;

        @Label("Scanned")
        @DataAmount
        long scannedBytes;

        @Label("Kept Entries")
        long keptEntries;

        @Label("Sealed")
        @DataAmount
        long sealedBytes;

        @Label("Dropped Frames")
        long droppedFrames;

        @Label("Scan and Repair")
        @Timespan(Timespan.NANOSECONDS)
        long durationNs;

        @Label("Report")
        @Nullable
        String report;

        Recovery() {}
    }

    private static boolean isOn() {
        return FlightRecorder.isInitialized();
    }

    static @Nullable LeaseExtension beginLeaseExtension() {
        if (!isOn()) {
            return null;
        }
        LeaseExtension event = new LeaseExtension();
        event.begin();
        return event;
    }

    static void end(LeaseExtension event, UUID journal, long lease, long retained, boolean durable) {
        event.end();
        if (event.shouldCommit()) {
            event.journal = journal.toString();
            event.lease = lease;
            event.retained = retained;
            event.durable = durable;
            event.commit();
        }
    }

    static @Nullable Stall beginStall() {
        if (!isOn()) {
            return null;
        }
        Stall event = new Stall();
        event.begin();
        return event;
    }

    static void end(Stall event, UUID journal, long end, long retained) {
        event.end();
        if (event.shouldCommit()) {
            event.journal = journal.toString();
            event.end = end;
            event.retained = retained;
            event.commit();
        }
    }

    static void rotated(UUID journal, long segmentStart) {
        if (isOn()) {
            Rotation event = new Rotation();
            event.journal = journal.toString();
            event.segmentStart = segmentStart;
            event.commit();
        }
    }

    static void poisoned(UUID journal, Throwable cause) {
        if (isOn()) {
            Poison event = new Poison();
            event.journal = journal.toString();
            event.cause = cause.toString();
            event.commit();
        }
    }

    /// A journal was opened for writing, and this is what was found.
    public static void recovered(UUID journal, RecoveryReport report) {
        if (isOn()) {
            Recovery event = new Recovery();
            event.journal = journal.toString();
            event.verdict = report.verdict().name();
            event.scannedBytes = report.scannedBytes();
            event.keptEntries = report.keptEntries();
            event.sealedBytes = report.sealedBytes();
            event.droppedFrames = report.droppedFrames();
            event.durationNs = report.durationNs();
            event.report = report.toString();
            event.commit();
        }
    }
}
