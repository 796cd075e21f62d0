package io.fenceline.tailer;

import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalSource;
import java.io.IOException;
import java.nio.file.Path;

/// A process that holds the ring until it is killed, or its standard input ends: by a gating tailer, or by a
/// cursor NAME that it commits to after so many entries.
///
///     DIR [NAME ENTRIES]
final class GateHolder {
    private GateHolder() {}

    public static void main(String[] arguments) throws IOException {
        try (JournalSource journal = Journal.openReadOnly(Path.of(arguments[0]))) {
            if (arguments.length == 1) {
                GatingTailer tailer = GatingTailer.open(journal, Start.oldest());
                tailer.poll(entry -> {}, 3);
            } else {
                Cursor cursor = Cursor.open(
                        journal, arguments[1], CursorConfig.defaults().withGating(true));
                cursor.poll(entry -> {}, Integer.parseInt(arguments[2]));
                cursor.commit();
            }
            System.out.println("held");
            System.out.flush();
            while (System.in.read() >= 0) {
                // until it is killed
            }
        }
        Runtime.getRuntime().halt(0);
    }
}
