package io.fenceline.tailer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.NavigableMap;
import java.util.TreeMap;

/// What a reader of a [TruncatingWriter]'s log was shown and was not told is gone: the number of each entry, by its
/// sequence.
final class Shown implements EntryHandler {
    private final NavigableMap<Long, Long> entries = new TreeMap<>();
    private boolean passedOver;
    private int cuts;
    private int resets;

    @Override
    public void onEntry(Entry entry) {
        assertEquals(entry.sequence(), Journals.longOf(entry, 0), "I2: content of another sequence");
        show(entry.sequence(), Journals.longOf(entry, 8));
    }

    private void show(long sequence, long number) {
        assertFalse(passedOver, () -> "passed over what is before " + sequence);
        assertTrue(
                entries.isEmpty() || entries.lastKey() + 1 == sequence,
                () -> "I4: after " + entries.lastKey() + " came " + sequence);
        entries.put(sequence, number);
    }

    /// On the way back: an entry that was shown on the way there.
    void again(Entry entry) {
        assertEquals(
                entries.getOrDefault(entry.sequence(), Journals.longOf(entry, 8)), Journals.longOf(entry, 8), "I5");
    }

    /// What a poll told.
    ///
    /// @param nextSequence of the reader then
    void told(int result, long nextSequence) {
        passedOver = false;
        if (result == Tailer.TRUNCATED) {
            cuts++;
            entries.tailMap(nextSequence, true).clear();
        } else if (result == Tailer.OVERRUN) {
            resets += nextSequence % 1_000_000 == 0 ? 1 : 0;
            entries.clear();
        } else {
            assertTrue(result >= 0, () -> "poll returned " + result);
        }
    }

    /// The reader goes on at an entry that it was shown before, or at the next one; behind that only if it is told
    /// why before it is shown anything: a cut that it was told, and did not commit, may be given up meanwhile.
    void goesOn(long nextSequence) {
        entries.tailMap(nextSequence, true).clear();
        passedOver = !entries.isEmpty() && entries.lastKey() + 1 != nextSequence;
    }

    /// What [CommittingReader]s wrote down that were killed; a last line without an end was not written.
    void read(Path file) throws IOException {
        String text = Files.readString(file);
        for (String line : text.substring(0, text.lastIndexOf('\n') + 1).lines().toList()) {
            String[] words = line.split(" ", -1);
            long sequence = Long.parseLong(words[1]);
            switch (words[0]) {
                case "opened" -> goesOn(sequence);
                case "entry" -> show(sequence, Long.parseLong(words[2]));
                case "told" -> told(Integer.parseInt(words[2]), sequence);
                default -> throw new AssertionError(line);
            }
        }
    }

    int cuts() {
        return cuts;
    }

    int resets() {
        return resets;
    }

    /// I5: what is there is what was shown, from the oldest entry on that is there.
    void requireShown(NavigableMap<Long, Long> there) {
        if (!there.isEmpty()) {
            assertEquals(new TreeMap<>(entries.tailMap(there.firstKey(), true)), there, "I5");
        }
    }
}
