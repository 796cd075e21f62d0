/// What a machine gives: measuring, raw limits, reports.
@org.jspecify.annotations.NullMarked
module io.fenceline.bench {
    requires transitive io.fenceline.journal;
    requires io.fenceline.appender;
    requires io.fenceline.tailer;
    requires transitive com.fasterxml.jackson.core;
    requires java.management;
    requires jdk.management;
    requires transitive HdrHistogram;
    requires static transitive org.jspecify;

    exports io.fenceline.bench;
    exports io.fenceline.bench.limits;
    exports io.fenceline.bench.report;
}
