/// The `fenceline` command.
@org.jspecify.annotations.NullMarked
module io.fenceline.tools {
    requires io.fenceline.appender;
    requires io.fenceline.bench;
    requires io.fenceline.journal;
    requires io.fenceline.tailer;
    requires static org.jspecify;
    requires info.picocli;

    opens io.fenceline.tools to
            info.picocli;
}
