package io.fenceline.tools;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Properties;
import java.util.function.Function;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;

/// The command `fenceline`. Every problem is one line on standard error, `fenceline: …`, and a code of [ExitCodes].
@Command(
        name = "fenceline",
        mixinStandardHelpOptions = true,
        versionProvider = Fenceline.Version.class,
        synopsisSubcommandLabel = "COMMAND",
        description = "A persistent journal: create, append, tail, inspect, recover.",
        footer = {
            "",
            "Example:",
            "  fenceline demo                           see it work, with a crash in the middle",
            "  fenceline create orders                  make a journal",
            "  echo hello | fenceline append orders     append a line",
            "  fenceline tail orders                    read it back"
        })
final class Fenceline implements Runnable {
    @Spec
    private CommandSpec spec;

    @Option(names = "--debug", hidden = true, scope = ScopeType.INHERIT, description = "Show where a problem arose.")
    private boolean debug;

    private Fenceline() {}

    public static void main(String[] args) {
        Locale.setDefault(Locale.ROOT);
        System.exit(run(Console.system(), args));
    }

    /// Runs one command line; never throws.
    ///
    /// @return one of [ExitCodes]
    static int run(Console console, String... args) {
        Fenceline fenceline = new Fenceline();
        try {
            refuseWhatIsNotUtf8(args);
            CommandLine line = fenceline.commandLine(console);
            int code = line.execute(args);
            // Help and version are printed without a word about a closed pipe. A corrupt journal is a result, too.
            if (code == ExitCodes.OK || code == ExitCodes.CORRUPT) {
                console.flush();
            }
            return code;
        } catch (Throwable e) {
            return fenceline.report(console, e);
        }
    }

    /// The JVM gives U+FFFD for bytes of an argument that are not UTF-8: it would name another file.
    private static void refuseWhatIsNotUtf8(String[] args) {
        for (String arg : args) {
            if (arg.indexOf('\uFFFD') >= 0) {
                throw new CommandException(
                        ExitCodes.USAGE,
                        "argument '" + arg + "': expected UTF-8, found other bytes (or U+FFFD); rename the file");
            }
        }
    }

    /// Says what was expected, not which Java type.
    private static <T extends Number> ITypeConverter<T> wholeNumber(Function<String, T> parse, T maximum) {
        return text -> {
            try {
                return parse.apply(text);
            } catch (NumberFormatException e) {
                throw new TypeConversionException("'" + text + "': expected a whole number up to " + maximum);
            }
        };
    }

    private CommandLine commandLine(Console console) {
        CommandLine line = new CommandLine(this);
        line.addSubcommand(new Demo(console));
        line.addSubcommand(new Create(console));
        line.addSubcommand(new Append(console));
        line.addSubcommand(new Tail(console));
        line.addSubcommand(new Dump(console));
        line.addSubcommand(new Verify(console));
        line.addSubcommand(new Info(console));
        line.addSubcommand(new Recover(console));
        line.addSubcommand(new Truncate(console));
        line.addSubcommand(new BackupCommand(console));
        line.addSubcommand(new ArchiveCommand(console));
        line.addSubcommand(new Top(console));
        line.addSubcommand(new BenchCommand(console));
        CommandLine cursor = new CommandLine(new CursorCommand());
        cursor.addSubcommand(new CursorCommand.Ls(console));
        cursor.addSubcommand(new CursorCommand.Set(console));
        cursor.addSubcommand(new CursorCommand.Rm(console));
        line.addSubcommand(cursor);
        List<CommandLine> commands = new ArrayList<>(line.getSubcommands().values());
        commands.addAll(cursor.getSubcommands().values());
        for (CommandLine command : commands) {
            command.getCommandSpec()
                    .mixinStandardHelpOptions(true)
                    .versionProvider(new Version())
                    .usageMessage()
                    .exitCodeListHeading("%nExit codes:%n")
                    .exitCodeList(ExitCodes.list());
        }
        line.getCommandSpec()
                .usageMessage()
                .exitCodeListHeading("%nExit codes:%n")
                .exitCodeList(ExitCodes.list());
        line.registerConverter(int.class, wholeNumber(Integer::valueOf, Integer.MAX_VALUE));
        line.registerConverter(Integer.class, wholeNumber(Integer::valueOf, Integer.MAX_VALUE));
        line.registerConverter(long.class, wholeNumber(Long::valueOf, Long.MAX_VALUE));
        boolean colors = console.outIsTerminal() && System.getenv("NO_COLOR") == null;
        line.setColorScheme(CommandLine.Help.defaultColorScheme(colors ? Ansi.ON : Ansi.OFF));
        line.setUsageHelpWidth(100);
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setOut(new PrintWriter(new StringWriter()) {
            @Override
            public void write(String text, int offset, int length) {
                console.print(text.substring(offset, offset + length));
            }

            @Override
            public void println() {
                console.print("\n");
            }
        });
        line.setParameterExceptionHandler((e, ignored) -> misused(console, e));
        line.setExecutionExceptionHandler((e, command, result) -> failed(console, e));
        return line;
    }

    private int misused(Console console, ParameterException e) {
        String what = message(e);
        if (e instanceof UnmatchedArgumentException unmatched
                && e.getCommandLine().getParent() == null) {
            String first = unmatched.getUnmatched().getFirst();
            what = first.startsWith("-") ? what : "no such command: " + first;
        }
        console.error(what + "; try '" + e.getCommandLine().getCommandSpec().qualifiedName() + " --help'");
        return ExitCodes.USAGE;
    }

    private int failed(Console console, Exception e) {
        if (e instanceof ParameterException misuse) {
            return misused(console, misuse);
        }
        return report(console, e);
    }

    /// One line, and the exit code.
    private int report(Console console, Throwable problem) {
        int code = ExitCodes.of(problem);
        if (code != ExitCodes.CLOSED_OUTPUT) {
            try {
                // What was printed before belongs before.
                console.flush();
            } catch (RuntimeException e) {
                // The first problem is the one to tell of.
            }
            console.error(code == ExitCodes.BUG ? "internal error: " + problem : message(problem));
        }
        if (debug) {
            console.stackTrace(problem);
        }
        return code;
    }

    private static String message(Throwable problem) {
        return Objects.requireNonNullElse(problem.getMessage(), problem.toString());
    }

    /// No subcommand.
    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is missing");
    }

    /// Says which version this is.
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() throws IOException {
            Properties properties = new Properties();
            try (InputStream in = Objects.requireNonNull(Fenceline.class.getResourceAsStream("version.properties"))) {
                properties.load(in);
            }
            return new String[] {"fenceline " + properties.getProperty("version")};
        }
    }
}
