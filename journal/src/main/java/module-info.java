/// The journal: format, persistence, positions, recovery.
@org.jspecify.annotations.NullMarked
module io.fenceline.journal {
    requires jdk.jfr;
    requires static transitive org.jspecify;

    exports io.fenceline.journal;
    exports io.fenceline.journal.format to
            io.fenceline.appender,
            io.fenceline.bench,
            io.fenceline.tailer,
            io.fenceline.tools;
    exports io.fenceline.journal.persist to
            io.fenceline.appender,
            io.fenceline.bench,
            io.fenceline.tailer,
            io.fenceline.tools;
    exports io.fenceline.journal.positions to
            io.fenceline.appender,
            io.fenceline.bench,
            io.fenceline.tailer,
            io.fenceline.tools;
    exports io.fenceline.journal.recovery to
            io.fenceline.tailer,
            io.fenceline.tools;
}
