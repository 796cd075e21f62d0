package io.fenceline.proof.hostile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.Journal;
import io.fenceline.journal.ReadOnlyJournal;
import io.fenceline.journal.format.RunFileDescriptor;
import io.fenceline.tailer.Start;
import io.fenceline.tailer.Tailer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Words of `journal.run` that no writer can have stored, beside an undamaged log.
class HostileWordsTest {
    @TempDir
    private Path parent;

    private static int entries(Path directory) {
        int[] entries = new int[1];
        try (ReadOnlyJournal journal = Journal.openReadOnly(directory);
                Tailer tailer = Tailer.open(journal, Start.oldest())) {
            while (tailer.poll(entry -> entries[0]++, 1000) > 0) {}
        }
        return entries[0];
    }

    // Jazzer found the first of these: a tailer read beyond the end of the mapping.
    @ParameterizedTest
    @CsvSource({
        "retained, 8",
        "retained, 64",
        "retained, -4096",
        "retained, 0",
        "retained, 4611686018427387904",
        "published, 8",
        "published, -64",
        "published, 9223372036854775744",
        "published, 0"
    })
    void shouldDistrustWordsThatNoWriterStored(String word, long value) throws IOException {
        Path directory = Image.closed(parent, 4, 3);
        int whole = entries(directory);
        assertTrue(whole > 0);
        int offset = word.equals("retained") ? RunFileDescriptor.RETAINED_OFFSET : RunFileDescriptor.PUBLISHED_OFFSET;
        Path file = directory.resolve("journal.run");
        ByteBuffer words = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        words.putLong(offset, value);
        Files.write(file, words.array());
        assertEquals(whole, entries(directory));
    }
}
