/// Tailers: how entries are read from a journal.
@org.jspecify.annotations.NullMarked
module io.fenceline.tailer {
    requires transitive io.fenceline.journal;
    requires transitive org.agrona;
    requires static transitive org.jspecify;

    exports io.fenceline.tailer;
}
