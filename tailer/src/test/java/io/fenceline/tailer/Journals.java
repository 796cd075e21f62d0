package io.fenceline.tailer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.SmallJournals;
import io.fenceline.journal.TestLevels;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// What the tests of tailers share: journals, and entries whose content follows from their sequence.
final class Journals {
    static final JournalConfig CONFIG =
            JournalConfig.defaults().withDurability(Durability.PROCESS).withFullPolicy(FullPolicy.OVERWRITE);

    private Journals() {}

    /// A journal with small segments, open for writing.
    static Journal open(Path directory, int segmentLengthBytes, int segmentCount) {
        SmallJournals.create(directory, segmentLengthBytes, segmentCount, CONFIG);
        return Journal.open(directory, CONFIG);
    }

    /// The payload of an entry: every byte follows from sequence and length.
    static byte[] payload(long sequence, int length) {
        byte[] payload = new byte[length];
        ByteBuffer words = ByteBuffer.wrap(payload);
        long word = sequence * 0x9E37_79B9_7F4A_7C15L + length;
        while (words.remaining() >= Long.BYTES) {
            words.putLong(word);
            word = (word ^ word >>> 29) * 0xBF58_476D_1CE4_E5B9L;
        }
        while (words.hasRemaining()) {
            words.put((byte) word);
            word >>>= 8;
        }
        return payload;
    }

    /// A length from 0 to below `bound`, different from one sequence to the next.
    static int length(long sequence, int bound) {
        return Math.floorMod((sequence * 0x9E37_79B9_7F4A_7C15L) >>> 20, bound);
    }

    /// Appends the next entry with its payload and a type that follows from the sequence.
    ///
    /// @return position of its frame
    static long append(ExclusiveAppender appender, int length) {
        long sequence = appender.nextSequence();
        long position = appender.append(MemorySegment.ofArray(payload(sequence, length)), (int) sequence * 7);
        assertTrue(position >= 0, () -> "append returned " + position);
        return position;
    }

    /// Checks an entry that [#append] wrote.
    static void check(Entry entry) {
        byte[] expected = payload(entry.sequence(), entry.length());
        if (MemorySegment.mismatch(
                        entry.buffer(),
                        entry.offset(),
                        entry.offset() + entry.length(),
                        MemorySegment.ofArray(expected),
                        0,
                        expected.length)
                != -1) {
            throw new AssertionError(entry + " has other bytes than were appended");
        }
        assertEquals((int) entry.sequence() * 7, entry.type());
    }

    /// Polls until nothing is left.
    static List<Seen> drain(Tailer tailer) {
        List<Seen> seen = new ArrayList<>();
        while (tailer.poll(entry -> seen.add(Seen.of(entry)), 7) > 0) {
            // on
        }
        return seen;
    }

    /// A copy of an entry.
    record Seen(long position, int index, long sequence, int type, String payload) {
        static Seen of(Entry entry) {
            return new Seen(
                    entry.position(),
                    entry.index(),
                    entry.sequence(),
                    entry.type(),
                    new String(entry.toByteArray(), StandardCharsets.ISO_8859_1));
        }
    }

    /// Starts a JVM with the class path of this one.
    static Process java(Class<?> main, Object... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                System.getProperty("java.home") + File.separator + "bin" + File.separator + "java",
                "-XX:+UseSerialGC",
                "-Xmx256m",
                "--enable-native-access=ALL-UNNAMED"));
        command.addAll(TestLevels.jvmOptions());
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        for (Object argument : arguments) {
            command.add(argument.toString());
        }
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    static long longOf(Entry entry, int at) {
        return entry.buffer().get(ValueLayout.JAVA_LONG_UNALIGNED, entry.offset() + at);
    }
}
