package io.fenceline.tailer;

import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.Journal;
import java.nio.file.Path;

/// Appends to the journal in argument 0 until it is killed; says when it is open.
final class Writer {
    private Writer() {}

    public static void main(String[] arguments) {
        try (Journal journal = Journal.open(Path.of(arguments[0]), Journals.CONFIG);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            System.out.println("open");
            while (appender.position() >= 0) {
                Journals.append(appender, Journals.length(appender.nextSequence(), 900));
            }
        }
    }
}
