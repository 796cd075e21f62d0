/// Appenders: how entries get into a journal.
@org.jspecify.annotations.NullMarked
module io.fenceline.appender {
    requires transitive io.fenceline.journal;
    requires transitive com.lmax.disruptor;
    requires transitive org.agrona;
    requires static transitive org.jspecify;

    exports io.fenceline.appender;
}
